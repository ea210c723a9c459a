-- A run that nobody is running any more: the process that ran it is gone.
UPDATE run SET status = 'interrupted', message = 'The program ended while this run was in progress.' WHERE status = 'running'
