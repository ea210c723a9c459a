SELECT id FROM experiment WHERE name = :name AND definition = :definition AND draft IS NULL ORDER BY id LIMIT 1
