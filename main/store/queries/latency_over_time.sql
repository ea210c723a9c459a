-- A grid of columns (time) by rows (ln of latency), and the percentiles of each column.
SELECT min({columns} - 1, CAST(("{time}" - {fromNs}) / {stepNs} AS INTEGER)) AS x,
  min({rows} - 1, max(0, CAST((ln(max(total_ns, 1)) - {lnMin}) / {lnStep} AS INTEGER))) AS y,
  count(*) AS n
FROM "{table}"
WHERE {range} AND total_ns IS NOT NULL AND ({where})
GROUP BY x, y
