-- Keeps an edited definition. An edit back to what was saved is no edit.
UPDATE experiment
SET name = :name, draft = CASE WHEN revision > 0 AND definition = :definition THEN NULL ELSE :definition END
WHERE id = :id
