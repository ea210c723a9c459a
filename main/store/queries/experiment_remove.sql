DELETE FROM experiment WHERE id = ?
