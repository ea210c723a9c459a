SELECT first_rowid, last_rowid FROM run_rows WHERE run_id = ? AND table_name = ?
