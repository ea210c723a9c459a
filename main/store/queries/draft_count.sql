SELECT count(*) FROM experiment WHERE draft IS NOT NULL
