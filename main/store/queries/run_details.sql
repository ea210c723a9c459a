SELECT definition, summary FROM run WHERE run_id = ?
