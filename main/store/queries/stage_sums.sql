SELECT count(*) AS n, total(total_ns) AS total_ns, {sums} FROM "{table}" WHERE {range} AND total_ns IS NOT NULL AND ({where})
