SELECT rowid FROM "{table}" WHERE {range} AND ({where}) ORDER BY {order}
