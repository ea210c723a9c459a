-- After an interrupted run: its counts from its rows, so far as they were written.
UPDATE run
SET ios = (SELECT coalesce(sum(last_rowid - first_rowid + 1), 0) FROM run_rows WHERE run_rows.run_id = run.run_id AND table_name = 'io'),
    requests = (SELECT coalesce(sum(last_rowid - first_rowid + 1), 0) FROM run_rows WHERE run_rows.run_id = run.run_id AND table_name = 'request')
WHERE status = 'interrupted' AND summary IS NULL
