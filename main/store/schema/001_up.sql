-- Schema 1 of the project file (*.blklab). Table and column names are a contract: people query this file with the sqlite3 shell and with scripts.
-- Integers are nanoseconds or bytes as their names say; times of day are ISO 8601 texts in UTC. The trace tables mirror core/trace/schema.ts (a spec compares them).
-- Trace tables have no declared key on purpose: rows are appended in the order in which I/Os end, and indexes are made after a run (an index
-- that is there while rows are inserted costs two thirds of the insert rate).

-- What the user edits. `definition` is the latest saved revision, `draft` what has been edited since (NULL: nothing). Revision 0 was never saved.
CREATE TABLE experiment (
  id INTEGER PRIMARY KEY,
  name TEXT NOT NULL,
  definition TEXT NOT NULL,
  draft TEXT,
  revision INTEGER NOT NULL,
  created_at TEXT NOT NULL
) STRICT;

-- Every saved state of an experiment, never edited.
CREATE TABLE revision (
  id INTEGER PRIMARY KEY,
  experiment_id INTEGER NOT NULL REFERENCES experiment (id) ON DELETE CASCADE,
  revision INTEGER NOT NULL,
  name TEXT NOT NULL,
  definition TEXT NOT NULL,
  created_at TEXT NOT NULL
) STRICT;

CREATE INDEX revision_of_experiment ON revision (experiment_id, revision);

-- One execution of a definition. `message` says in words why a run failed.
CREATE TABLE run (
  run_id INTEGER PRIMARY KEY,
  experiment_id INTEGER NOT NULL REFERENCES experiment (id) ON DELETE CASCADE,
  seed INTEGER NOT NULL,
  repeat INTEGER NOT NULL,
  status TEXT NOT NULL CHECK (status IN ('running', 'done', 'stopped', 'deadlock', 'failed', 'interrupted')),
  definition TEXT NOT NULL,
  started_at TEXT NOT NULL,
  wall_ms INTEGER NOT NULL DEFAULT 0,
  sim_ns INTEGER NOT NULL DEFAULT 0,
  events INTEGER NOT NULL DEFAULT 0,
  ios INTEGER NOT NULL DEFAULT 0,
  requests INTEGER NOT NULL DEFAULT 0,
  trace_hash TEXT,
  summary TEXT,
  message TEXT,
  app_version TEXT NOT NULL
) STRICT;

CREATE INDEX run_of_experiment ON run (experiment_id, run_id);

-- Where the rows of a run lie in each trace table: one unbroken range of rowids, since runs are recorded one after another.
CREATE TABLE run_rows (
  run_id INTEGER NOT NULL REFERENCES run (run_id) ON DELETE CASCADE,
  table_name TEXT NOT NULL,
  first_rowid INTEGER NOT NULL,
  last_rowid INTEGER NOT NULL,
  PRIMARY KEY (run_id, table_name)
) STRICT, WITHOUT ROWID;

-- What the charts of a very long run are drawn from: counts made while its rows were written. For the program itself; everything in it follows from `io`.
CREATE TABLE run_chart (
  run_id INTEGER PRIMARY KEY REFERENCES run (run_id) ON DELETE CASCADE,
  cube BLOB NOT NULL
) STRICT;

-- One row per I/O of the workload.
CREATE TABLE io (
  run_id INTEGER NOT NULL,
  io_id INTEGER,
  job TEXT,
  op TEXT,
  offset_bytes INTEGER,
  size_bytes INTEGER,
  cpu INTEGER,
  key_id INTEGER,
  status TEXT,
  submit_ns INTEGER,
  complete_ns INTEGER,
  total_ns INTEGER,
  requests INTEGER,
  st_submit_ns INTEGER,
  st_wait_tag_ns INTEGER,
  st_wait_plug_ns INTEGER,
  st_wait_sched_ns INTEGER,
  st_wait_dispatch_ns INTEGER,
  st_host_cpu_ns INTEGER,
  st_host_queue_ns INTEGER,
  st_link_ns INTEGER,
  st_wait_link_ns INTEGER,
  st_device_wait_ns INTEGER,
  st_device_cpu_ns INTEGER,
  st_media_wait_ns INTEGER,
  st_media_ns INTEGER,
  st_complete_irq_ns INTEGER,
  st_complete_softirq_ns INTEGER,
  st_complete_cpu_ns INTEGER,
  st_wait_power_ns INTEGER,
  st_wait_requeue_ns INTEGER,
  st_wait_flush_ns INTEGER,
  st_wait_queue_ns INTEGER,
  st_inline_ns INTEGER,
  st_wait_keyslot_ns INTEGER,
  st_keyslot_program_ns INTEGER,
  st_fallback_queue_ns INTEGER,
  st_fallback_cpu_ns INTEGER,
  st_dm_map_ns INTEGER,
  st_dm_crypt_queue_ns INTEGER,
  st_dm_crypt_cpu_ns INTEGER,
  st_dm_crypt_engine_ns INTEGER,
  st_dm_crypt_backlog_ns INTEGER,
  st_dm_crypt_alloc_ns INTEGER,
  st_dm_crypt_write_thread_ns INTEGER,
  st_dm_verity_queue_ns INTEGER,
  st_dm_verity_cpu_ns INTEGER,
  st_dm_verity_engine_ns INTEGER,
  st_dm_verity_metadata_ns INTEGER,
  st_dm_verity_fec_ns INTEGER
) STRICT;

-- One row per block-layer request.
CREATE TABLE request (
  run_id INTEGER NOT NULL,
  request_id INTEGER,
  io_id INTEGER,
  op TEXT,
  sector INTEGER,
  size_bytes INTEGER,
  cpu INTEGER,
  hctx INTEGER,
  tag INTEGER,
  keyslot INTEGER,
  key_id INTEGER,
  dun INTEGER,
  data_unit_size INTEGER,
  bios INTEGER,
  attempts INTEGER,
  status TEXT,
  queued_ns INTEGER,
  got_ns INTEGER,
  inserted_ns INTEGER,
  issued_ns INTEGER,
  device_ns INTEGER,
  completed_ns INTEGER,
  total_ns INTEGER,
  st_submit_ns INTEGER,
  st_wait_tag_ns INTEGER,
  st_wait_plug_ns INTEGER,
  st_wait_sched_ns INTEGER,
  st_wait_dispatch_ns INTEGER,
  st_host_cpu_ns INTEGER,
  st_host_queue_ns INTEGER,
  st_link_ns INTEGER,
  st_wait_link_ns INTEGER,
  st_device_wait_ns INTEGER,
  st_device_cpu_ns INTEGER,
  st_media_wait_ns INTEGER,
  st_media_ns INTEGER,
  st_complete_irq_ns INTEGER,
  st_complete_softirq_ns INTEGER,
  st_complete_cpu_ns INTEGER,
  st_wait_power_ns INTEGER,
  st_wait_requeue_ns INTEGER,
  st_wait_flush_ns INTEGER,
  st_wait_queue_ns INTEGER,
  st_inline_ns INTEGER,
  st_wait_keyslot_ns INTEGER,
  st_keyslot_program_ns INTEGER,
  st_fallback_queue_ns INTEGER,
  st_fallback_cpu_ns INTEGER,
  st_dm_map_ns INTEGER,
  st_dm_crypt_queue_ns INTEGER,
  st_dm_crypt_cpu_ns INTEGER,
  st_dm_crypt_engine_ns INTEGER,
  st_dm_crypt_backlog_ns INTEGER,
  st_dm_crypt_alloc_ns INTEGER,
  st_dm_crypt_write_thread_ns INTEGER,
  st_dm_verity_queue_ns INTEGER,
  st_dm_verity_cpu_ns INTEGER,
  st_dm_verity_engine_ns INTEGER,
  st_dm_verity_metadata_ns INTEGER,
  st_dm_verity_fec_ns INTEGER
) STRICT;

-- What a keyslot was doing, and for how long.
CREATE TABLE keyslot_span (
  run_id INTEGER NOT NULL,
  slot INTEGER,
  key_id INTEGER,
  state TEXT,
  start_ns INTEGER,
  end_ns INTEGER
) STRICT;

-- A named value over time, written when it changes.
CREATE TABLE gauge (
  run_id INTEGER NOT NULL,
  name TEXT,
  at_ns INTEGER,
  value INTEGER
) STRICT;

-- Detail `full`: who was busy in which stage.
CREATE TABLE span (
  run_id INTEGER NOT NULL,
  who TEXT,
  stage TEXT,
  start_ns INTEGER,
  end_ns INTEGER,
  cpu INTEGER,
  io_id INTEGER
) STRICT;

-- Detail `full`: what happened.
CREATE TABLE event (
  run_id INTEGER NOT NULL,
  at_ns INTEGER,
  room TEXT,
  kind TEXT,
  id1 INTEGER,
  id2 INTEGER
) STRICT;

-- Detail `full`: register changes.
CREATE TABLE register_log (
  run_id INTEGER NOT NULL,
  at_ns INTEGER,
  block TEXT,
  offset INTEGER,
  name TEXT,
  old INTEGER,
  new INTEGER
) STRICT;
