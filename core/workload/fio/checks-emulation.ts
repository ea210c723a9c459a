/**
 * Options that become part of a job but that no generator acts on: each is reported with its line, none is passed over in silence.
 *
 * @source fio 3.33 HOWTO for what each would do
 */
import type { FioJob } from './job.ts';

export interface NotActedOn {
  readonly option: string;
  /** Whether the job asks for it. */
  readonly isAsked: (job: FioJob) => boolean;
  readonly message: string;
  readonly hint?: string;
}

export const NOT_ACTED_ON: readonly NotActedOn[] = [
  {
    option: 'hipri',
    isAsked: ({ engine }) => engine.isPolled,
    message: 'completions are not polled for, they come by interrupt',
  },
  {
    option: 'flow',
    isAsked: ({ pace }) => pace.flow > 0,
    message: 'jobs are not balanced against each other',
    hint: 'use rate or rate_iops',
  },
  {
    option: 'serialize_overlap',
    isAsked: ({ depth }) => depth.serializeOverlap,
    message: 'I/Os that overlap are not held back',
  },
  {
    option: 'sync_file_range',
    isAsked: ({ sync }) => sync.syncFileRange !== undefined,
    message: 'there is no page cache to write back',
  },
  {
    option: 'write_barrier',
    isAsked: ({ sync }) => sync.barrierEvery > 0,
    message: 'no ioengine of fio passes it on to the device',
    hint: 'use fsync or fdatasync',
  },
  { option: 'atomic', isAsked: ({ sync }) => sync.isAtomic, message: 'runs as direct=1' },
  {
    option: 'io_submit_mode',
    isAsked: ({ depth }) => depth.submitMode === 'offload',
    message: 'there are no submission threads, the job submits its I/Os itself',
  },
  {
    option: 'rate_min',
    isAsked: ({ pace }) => pace.rateMinBytes.some((rate) => rate > 0),
    message: 'a job that falls below it is not ended',
  },
  {
    option: 'rate_iops_min',
    isAsked: ({ pace }) => pace.rateMinIops.some((rate) => rate > 0),
    message: 'a job that falls below it is not ended',
  },
  {
    option: 'randseed',
    isAsked: ({ random }) => random.hasOwnSeed,
    message: 'all draws come from the seed of the run',
    hint: 'set seed in the experiment',
  },
];
