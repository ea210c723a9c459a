UPDATE experiment
SET draft = NULL, name = (SELECT name FROM revision WHERE experiment_id = experiment.id ORDER BY revision DESC LIMIT 1)
WHERE draft IS NOT NULL AND revision > 0
