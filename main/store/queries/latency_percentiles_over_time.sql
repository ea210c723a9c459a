SELECT min({columns} - 1, CAST(("{time}" - {fromNs}) / {stepNs} AS INTEGER)) AS x,
  percentile(total_ns, 50) AS p50, percentile(total_ns, 99) AS p99
FROM "{table}"
WHERE {range} AND total_ns IS NOT NULL AND ({where})
GROUP BY x
