-- Runs with whether there are rows to look at, and whether the experiment has been edited since.
SELECT run_id, run.experiment_id, seed, repeat, status, started_at, wall_ms, sim_ns, events, ios, requests, trace_hash, message,
  run.definition <> coalesce(experiment.draft, experiment.definition) AS is_outdated,
  EXISTS (SELECT 1 FROM run_rows WHERE run_rows.run_id = run.run_id AND table_name IN ('io', 'request')) AS has_rows
FROM run JOIN experiment ON experiment.id = run.experiment_id
WHERE (:experimentId IS NULL OR run.experiment_id = :experimentId) AND (:runId IS NULL OR run_id = :runId)
ORDER BY run_id
