-- What keyslots held in a part of a run: spans of at least a column one by one, shorter ones merged per slot and column (that of their beginning).
-- The group is one integer, which sorts twice as fast as slot and column apart.
SELECT slot, min(start_ns) AS start_ns, max(end_ns) AS end_ns,
  CASE WHEN min(key_id) = max(key_id) THEN min(key_id) ELSE -1 END AS key_id,
  count(*) AS spans,
  sum(state = 'programming') AS programs,
  sum(CASE state WHEN 'programming' THEN end_ns - start_ns ELSE 0 END) AS programming_ns,
  sum(CASE state WHEN 'in_use' THEN end_ns - start_ns ELSE 0 END) AS in_use_ns,
  sum(CASE state WHEN 'idle' THEN end_ns - start_ns ELSE 0 END) AS idle_ns
FROM keyslot_span
WHERE {range} AND end_ns > {fromNs} AND start_ns < {toNs} AND slot < {slots}
GROUP BY CASE WHEN end_ns - start_ns >= {stepNs} THEN -rowid ELSE (slot << 20) + CAST((start_ns - {fromNs}) / {stepNs} AS INTEGER) END
ORDER BY slot, start_ns
