INSERT INTO run (experiment_id, seed, repeat, status, definition, started_at, app_version)
VALUES (:experimentId, :seed, :repeat, 'running', :definition, :startedAt, :appVersion)
