INSERT INTO run_rows (run_id, table_name, first_rowid, last_rowid) VALUES (:runId, :table, :first, :last)
ON CONFLICT (run_id, table_name) DO UPDATE SET last_rowid = excluded.last_rowid
