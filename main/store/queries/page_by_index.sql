-- `run_id = N` as a literal, so that the partial index of that run serves.
SELECT {columns} FROM "{table}" WHERE run_id = {runId} ORDER BY "{sort}" {direction}, rowid {direction} LIMIT ? OFFSET ?
