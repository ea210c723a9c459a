/**
 * The time side of a job: when it starts and ends, how it paces itself. fio's microseconds and milliseconds become nanoseconds.
 *
 * @source fio 3.33 HOWTO "Time related parameters", "I/O rate", "I/O latency"
 */
import type { JobBlocks, JobPace, JobSchedule } from './job.ts';
import type { SettingsReader } from './reader.ts';
import { mapDirections } from './values.ts';

const NS_PER_US = 1000;
const NS_PER_MS = 1e6;

export function resolveSchedule(reader: SettingsReader): JobSchedule {
  const [low, high] = reader.value('startdelay', 'amounts')?.items ?? [];
  const runtimeNs = reader.count('runtime') * NS_PER_US;
  const lowNs = (low?.value ?? 0) * NS_PER_US;
  return {
    stonewall: reader.isOn('stonewall'),
    waitFor: reader.text('wait_for'),
    startDelayNs: { low: lowNs, high: Math.max(lowNs, (high?.value ?? 0) * NS_PER_US) },
    runtimeNs,
    timeBased: reader.isOn('time_based') && runtimeNs > 0,
    rampNs: reader.count('ramp_time') * NS_PER_US,
    loops: Math.max(1, reader.count('loops')),
  };
}

export function resolvePace(reader: SettingsReader, blocks: JobBlocks): JobPace {
  const thinktimeNs = reader.count('thinktime') * NS_PER_US;
  const rateIops = reader.triple('rate_iops');
  const rate = reader.triple('rate');
  return {
    thinktimeNs,
    thinktimeSpinNs: Math.min(reader.count('thinktime_spin') * NS_PER_US, thinktimeNs),
    thinktimeBlocks: reader.count('thinktime_blocks'),
    thinktimeBlocksSet: reader.isGiven('thinktime_blocks'),
    thinktimeCounts: reader.word('thinktime_blocks_type') === 'issue' ? 'issue' : 'complete',
    thinktimeIotimeNs: reader.count('thinktime_iotime') * NS_PER_US,
    rateBytes: mapDirections(rate, (bytes, direction) => bytes || rateIops[direction] * blocks.minBytes[direction]),
    rateIops,
    rateMinBytes: reader.triple('rate_min'),
    rateMinIops: reader.triple('rate_iops_min'),
    rateProcess: reader.word('rate_process') === 'poisson' ? 'poisson' : 'linear',
    rateCycleNs: reader.count('rate_cycle') * NS_PER_MS,
    rateIgnoresThinktime: reader.isOn('rate_ignore_thinktime'),
    latencyTargetNs: reader.count('latency_target') * NS_PER_US,
    latencyWindowNs: reader.count('latency_window') * NS_PER_US,
    latencyPercentile: reader.value('latency_percentile', 'floats')?.items[0] ?? 100,
    latencyKeepsRunning: reader.isOn('latency_run'),
    maxLatencyNs: mapDirections(reader.triple('max_latency'), (us) => us * NS_PER_US),
    flow: reader.count('flow'),
    flowId: reader.count('flow_id'),
  };
}
