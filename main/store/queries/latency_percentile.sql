SELECT percentile(total_ns, {percent}) AS ns, count(*) AS n FROM "{table}" WHERE {range} AND total_ns IS NOT NULL AND ({where})
