SELECT id, name, definition, draft, revision, created_at FROM experiment WHERE id = ?
