/**
 * Entry of the run worker: the emulation, and nothing else. It validates nothing; it gets a `ValidExperiment`.
 *
 * The hot path is many small functions called through tables. Letting the compiler inline more of them than it does by default makes runs about a sixth
 * faster; letting it begin after a third of the calls takes a twentieth off a run of a million reads (both measured with bench/variants.ts, Node 24). The flags are read
 * whenever a function is optimised, so they may be set here. A larger cumulative size made no run faster and compiling a tenth dearer.
 */
import { setFlagsFromString } from 'node:v8';
import { buildStack } from '../../core/experiment/build.ts';
import type { ValidExperiment } from '../../core/experiment/definition.ts';
import { createRun } from '../../core/experiment/run.ts';
import { nodePorts } from '../crypto/node-ports.ts';
import { driveRun } from './run-loop.ts';

for (const flag of [
  '--max-inlined-bytecode-size=2000',
  '--max-inlined-bytecode-size-cumulative=4000',
  '--max-optimized-bytecode-size=200000',
  '--invocation-count-for-turbofan=1000',
  '--minimum-invocations-after-ic-update=200',
]) {
  setFlagsFromString(flag);
}

driveRun((experiment: ValidExperiment, sink) => createRun(experiment, sink, buildStack(experiment, sink, nodePorts)));
