-- First half of a save: every draft becomes the next revision of its experiment.
INSERT INTO revision (experiment_id, revision, name, definition, created_at)
SELECT id, revision + 1, name, draft, :createdAt FROM experiment WHERE draft IS NOT NULL AND (:id IS NULL OR id = :id)
