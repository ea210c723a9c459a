SELECT {columns} FROM "{table}" WHERE rowid BETWEEN ? AND ? ORDER BY rowid
