-- VACUUM may renumber rowids: finds the ranges of a table again.
INSERT INTO run_rows (run_id, table_name, first_rowid, last_rowid)
SELECT run_id, '{table}', min(rowid), max(rowid) FROM "{table}" GROUP BY run_id
