-- Second half of a save.
UPDATE experiment SET definition = draft, revision = revision + 1, draft = NULL WHERE draft IS NOT NULL AND (:id IS NULL OR id = :id)
