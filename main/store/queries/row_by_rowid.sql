SELECT {columns} FROM "{table}" WHERE rowid = ?
