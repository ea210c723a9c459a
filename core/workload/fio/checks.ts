/**
 * What can only be judged once a job is complete: options that exclude each other, jobs that wait for jobs that are not there,
 * and the places where the emulation differs from what a job asks for. Conflicts are errors exactly where fio refuses to start
 * the job (fio finds them after parsing, so `--parse-only` says nothing).
 *
 * @source fio 3.33, each conflict observed by starting such a job on the null engine
 */
import { NOT_ACTED_ON } from './checks-emulation.ts';
import type { FioIssueCode, IssueList, Place } from './issues.ts';
import type { FioJob } from './job.ts';
import { EMULATED_ENGINES } from './options-engine.ts';
import { SettingsReader } from './reader.ts';
import type { SectionSettings } from './settings.ts';

/** Reports of one job, placed at the option that causes them (or at the section's header). */
class JobCheck {
  readonly job: FioJob;
  readonly reader: SettingsReader;
  private readonly issues: IssueList;

  constructor(job: FioJob, settings: SectionSettings, issues: IssueList) {
    this.job = job;
    this.reader = new SettingsReader(settings);
    this.issues = issues;
  }

  error(option: string, code: FioIssueCode, message: string, hint?: string): void {
    this.issues.error(this.placeOf(option), code, message, hint);
  }

  warning(option: string, code: FioIssueCode, message: string, hint?: string): void {
    this.issues.warning(this.placeOf(option), code, message, hint);
  }

  private placeOf(option: string): Place {
    return this.reader.lastGiven(option)?.line ?? { file: this.job.file, line: this.job.line };
  }
}

/** Checks one job against itself and against the jobs above it. */
export function checkJob(job: FioJob, settings: SectionSettings, earlier: readonly FioJob[], issues: IssueList): void {
  const check = new JobCheck(job, settings, issues);
  checkCounts(check);
  checkSizes(check);
  checkBlocks(check);
  checkRates(check);
  checkZones(check);
  checkTime(check);
  checkWaiting(check, earlier);
  checkEmulation(check);
}

function checkCounts(check: JobCheck): void {
  const { job } = check;
  if (job.numjobs < 1) check.error('numjobs', 'range', 'numjobs: 0 jobs cannot run', 'allowed: 1 or more');
  if (job.files.count < 1) check.error('nrfiles', 'range', 'nrfiles: a job needs a file', 'allowed: 1 or more');
}

function checkSizes(check: JobCheck): void {
  const { region, blocks } = check.job;
  const smallestBytes = Math.min(...blocks.minBytes);
  const inZones = ['size', 'io_size', 'offset', 'offset_increment', 'zoneskip'].filter(
    (name) => check.reader.amount(name)?.unit === 'zones',
  );
  for (const name of inZones) {
    check.error(
      name,
      'not-emulated',
      `${name}: a number of zones needs zonemode=zbd, which is not emulated`,
      'write it in bytes',
    );
  }
  if (!inZones.includes('size') && region.size?.unit === 'bytes' && region.size.bytes < smallestBytes) {
    check.error(
      'size',
      'conflict',
      `size: ${region.size.bytes} bytes are less than the smallest block, ${smallestBytes}`,
    );
  }
}

function checkBlocks(check: JobCheck): void {
  const own = check.reader.lastGiven('bs');
  const other = check.reader.laterOf('bssplit', 'bsrange');
  if (own !== undefined && other !== undefined) {
    check.warning(
      'bs',
      'ambiguous',
      `bs has no effect where ${other.spec.name} (line ${other.line?.line ?? 0}) sets the block sizes`,
    );
  }
  const { job } = check;
  const turnsMapOff = job.blocks.alignBytes.some((align, direction) => align !== job.blocks.minBytes[direction]);
  if (turnsMapOff && !check.reader.isOn('norandommap')) {
    check.warning('ba', 'ambiguous', 'blockalign other than the block size: blocks may repeat, as with norandommap');
  }
}

function checkRates(check: JobCheck): void {
  const rate = check.reader.triple('rate');
  const { rateIops, rateMinBytes, rateMinIops } = check.job.pace;
  const isSet = (values: readonly number[]): boolean => values.some((value) => value > 0);
  if ((isSet(rate) && isSet(rateIops)) || (isSet(rateMinBytes) && isSet(rateMinIops))) {
    check.error('rate_iops', 'conflict', 'rate and rate_iops exclude each other');
  }
  const tooHigh = (limit: readonly number[], least: readonly number[]): boolean =>
    limit.some((value, direction) => value > 0 && value < least[direction]);
  if (tooHigh(rate, rateMinBytes)) check.error('rate_min', 'conflict', 'rate_min is above rate');
  if (tooHigh(rateIops, rateMinIops)) check.error('rate_iops_min', 'conflict', 'rate_iops_min is above rate_iops');
}

function checkZones(check: JobCheck): void {
  const mode = check.reader.word('zonemode');
  const sizeBytes = check.reader.count('zonesize');
  if (mode === 'zbd') {
    check.error(
      'zonemode',
      'not-emulated',
      'zonemode=zbd needs a zoned device, which is not emulated',
      'use zonemode=strided or none',
    );
  } else if (mode === 'none' && sizeBytes > 0) {
    check.error('zonesize', 'conflict', 'zonesize needs zonemode=strided');
  } else if (mode === 'strided' && sizeBytes === 0) {
    check.error('zonemode', 'conflict', 'zonemode=strided needs zonesize');
  }
}

function checkTime(check: JobCheck): void {
  if (check.reader.isOn('time_based') && check.job.schedule.runtimeNs === 0) {
    check.warning('time_based', 'ambiguous', 'time_based has no effect without runtime');
  }
}

/** Only jobs above can be waited for, by a name that only one of them has. */
function checkWaiting(check: JobCheck, earlier: readonly FioJob[]): void {
  const { name, schedule } = check.job;
  if (schedule.waitFor === undefined) return;
  const matches = earlier.filter((job) => job.name === schedule.waitFor).length;
  if (schedule.waitFor === name) check.error('wait_for', 'conflict', `wait_for: ${name} cannot wait for itself`);
  else if (matches === 0) {
    const names = earlier.map((job) => job.name).join(', ');
    check.error(
      'wait_for',
      'conflict',
      `wait_for: no job above is named ${schedule.waitFor}`,
      names === '' ? undefined : `jobs above: ${names}`,
    );
  } else if (matches > 1) {
    check.error(
      'wait_for',
      'conflict',
      `wait_for: ${matches} jobs are named ${schedule.waitFor}`,
      'give them different names',
    );
  }
}

function checkEmulation(check: JobCheck): void {
  const { job } = check;
  const note = EMULATED_ENGINES[job.engine.name].note;
  if (note !== undefined) check.warning('ioengine', 'ambiguous', `ioengine ${job.engine.name}: ${note}`);
  const wanted = check.reader.count('iodepth');
  if (wanted > job.depth.ioDepth) {
    check.warning(
      'iodepth',
      'ambiguous',
      `iodepth: ioengine ${job.engine.name} is synchronous, one I/O at a time`,
      'use libaio or io_uring',
    );
  }
  for (const { option, isAsked, message, hint } of NOT_ACTED_ON) {
    if (isAsked(job)) check.warning(option, 'ignored', `${option}: ${message}`, hint);
  }
  if (job.verify?.isDone === true && job.pattern.writes) {
    check.warning(
      'verify',
      'ignored',
      'verify: no read-back phase runs; data is checked by run.data = "verify" of the experiment',
    );
  }
}

/** What concerns the jobs of a file together. */
export function checkFile(jobs: readonly FioJob[], issues: IssueList): void {
  if (jobs.length === 0) return;
  const place = { file: jobs[0].file, line: jobs[0].line };
  const names = new Set(jobs.flatMap((job) => job.files.names));
  if (names.size > 1) {
    issues.warning(
      place,
      'ambiguous',
      `${names.size} different filenames (${[...names].join(', ')}) all stand for the one emulated device`,
    );
  }
  const buffered = jobs.filter((job) => !job.sync.isDirect && job.engine.name !== 'null');
  if (buffered.length > 0) {
    const list = [...new Set(buffered.map((job) => job.name))].join(', ');
    issues.warning(
      { file: buffered[0].file, line: buffered[0].line },
      'ignored',
      `buffered I/O is not emulated: ${list} will run as with direct=1`,
      'write direct=1',
    );
  }
}
