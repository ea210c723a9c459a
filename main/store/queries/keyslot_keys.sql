-- The first few different keys of a run. (A run with many has shown enough of them after few rows.)
SELECT DISTINCT key_id FROM keyslot_span WHERE {range} LIMIT {limit}
