-- Register changes say which fields of the register are set.
ALTER TABLE register_log ADD COLUMN fields TEXT;
