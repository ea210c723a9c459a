UPDATE run
SET status = :status, wall_ms = :wallMs, sim_ns = :simNs, events = :events, ios = :ios, requests = :requests,
    trace_hash = :traceHash, summary = :summary, message = :message
WHERE run_id = :runId
