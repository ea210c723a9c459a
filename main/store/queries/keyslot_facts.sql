-- Up to which slot, and until when, a run has spans of keyslots.
SELECT max(slot) + 1 AS slots, max(end_ns) AS end_ns
FROM keyslot_span
WHERE {range}
