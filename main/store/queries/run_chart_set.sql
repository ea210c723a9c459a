INSERT INTO run_chart (run_id, cube) VALUES (?, ?) ON CONFLICT (run_id) DO UPDATE SET cube = excluded.cube
