SELECT count(*) AS n, min(total_ns) AS minNs, max(total_ns) AS maxNs, min("{time}") AS fromNs, max("{time}") AS toNs
FROM "{table}"
WHERE {range} AND total_ns IS NOT NULL AND ({where})
