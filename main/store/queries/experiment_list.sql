-- Every experiment, oldest first.
SELECT id, name, definition, draft, revision, created_at FROM experiment ORDER BY id
