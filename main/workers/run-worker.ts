/** Entry of the run worker: the emulation, and nothing else. It validates nothing; it gets a `ValidExperiment`. */
import { createRun } from '../../core/experiment/run.ts';
import { driveRun } from './run-loop.ts';

driveRun(createRun);
