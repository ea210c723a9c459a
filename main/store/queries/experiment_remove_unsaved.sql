-- What was never saved and never run goes when drafts are discarded; what has runs stays as a draft, for runs are kept.
DELETE FROM experiment
WHERE revision = 0 AND NOT EXISTS (SELECT 1 FROM run WHERE run.experiment_id = experiment.id)
