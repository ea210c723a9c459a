SELECT cube FROM run_chart WHERE run_id = ?
