-- Rows per latency bucket: buckets are equal steps of ln(total_ns).
SELECT min({bins} - 1, max(0, CAST((ln(max(total_ns, 1)) - {lnMin}) / {lnStep} AS INTEGER))) AS bucket, count(*) AS n
FROM "{table}"
WHERE {range} AND total_ns IS NOT NULL AND ({where})
GROUP BY bucket
