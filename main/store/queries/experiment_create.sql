-- A new experiment is a draft: it becomes revision 1 with the first save.
INSERT INTO experiment (name, definition, draft, revision, created_at) VALUES (:name, :definition, :definition, 0, :createdAt)
