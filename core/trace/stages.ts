/**
 * Stages: the named intervals into which the life of every I/O is divided, and the columns that account for them.
 *
 * The law "no unexplained nanosecond" holds by construction: a row of `StageRows` has a `last` stamp, and time can only be
 * accounted by `mark(row, stage, untilNs)`, which attributes everything from `last` to `untilNs` to one stage. The sum of a row is therefore always
 * `last - start`. Marks may be made late (a device that knows its own schedule marks several intervals at once when it completes).
 *
 * Ids are stable: they are column names of the project file and keys of summaries. Display names live in the renderer. `wait.link`, `device.wait`, `device.cpu` and
 * `wait.queue` were added to the design's list. Their order is that of columns and reports; stages that every run has come first, because rows are only as
 * wide as the stages in use.
 */
export const STAGE_IDS = [
  'submit',
  'wait.tag',
  'wait.plug',
  'wait.sched',
  'wait.dispatch',
  'host.cpu',
  'host.queue',
  'link',
  'wait.link', // waiting for the link while another command's data is on it; working is `link`
  'device.wait', // command in the device, its firmware core busy with others
  'device.cpu', // the device's firmware handles the command
  'media.wait',
  'media',
  'complete.irq',
  'complete.softirq',
  'complete.cpu',
  'wait.power',
  'wait.requeue',
  'wait.flush',
  'wait.queue', // queue frozen or quiesced: the bio waits to enter (before the tag)
  'inline',
  'wait.keyslot',
  'keyslot.program',
  'fallback.queue',
  'fallback.cpu',
  'dm.map',
  'dm.crypt.queue',
  'dm.crypt.cpu',
  'dm.crypt.engine',
  'dm.crypt.backlog',
  'dm.crypt.alloc',
  'dm.crypt.write_thread',
  'dm.verity.queue',
  'dm.verity.cpu',
  'dm.verity.engine',
  'dm.verity.metadata',
  'dm.verity.fec',
] as const;

export type StageId = (typeof STAGE_IDS)[number];

/** Row stride of the accounting columns; at least the number of stages. */
export const STAGE_STRIDE = 40;

/** Index of a stage id. Throws on an unknown id (a programmer's mistake). */
export function stageIndex(id: StageId): number {
  return STAGE_IDS.indexOf(id);
}

export const ST_SUBMIT = stageIndex('submit');
export const ST_FALLBACK_QUEUE = stageIndex('fallback.queue');
export const ST_FALLBACK_CPU = stageIndex('fallback.cpu');
export const ST_WAIT_TAG = stageIndex('wait.tag');
export const ST_WAIT_KEYSLOT = stageIndex('wait.keyslot');
export const ST_KEYSLOT_PROGRAM = stageIndex('keyslot.program');
export const ST_WAIT_PLUG = stageIndex('wait.plug');
export const ST_WAIT_SCHED = stageIndex('wait.sched');
export const ST_WAIT_DISPATCH = stageIndex('wait.dispatch');
export const ST_WAIT_REQUEUE = stageIndex('wait.requeue');
export const ST_WAIT_POWER = stageIndex('wait.power');
export const ST_WAIT_FLUSH = stageIndex('wait.flush');
export const ST_HOST_CPU = stageIndex('host.cpu');
export const ST_HOST_QUEUE = stageIndex('host.queue');
export const ST_LINK = stageIndex('link');
export const ST_INLINE = stageIndex('inline');
export const ST_MEDIA_WAIT = stageIndex('media.wait');
export const ST_MEDIA = stageIndex('media');
export const ST_COMPLETE_IRQ = stageIndex('complete.irq');
export const ST_COMPLETE_SOFTIRQ = stageIndex('complete.softirq');
export const ST_COMPLETE_CPU = stageIndex('complete.cpu');
export const ST_WAIT_LINK = stageIndex('wait.link');
export const ST_DEVICE_WAIT = stageIndex('device.wait');
export const ST_DEVICE_CPU = stageIndex('device.cpu');
export const ST_WAIT_QUEUE = stageIndex('wait.queue');

/** `wait.tag` → `st_wait_tag_ns`: the column of a stage in the project file and in CSV. */
export function stageColumn(id: StageId): string {
  return `st_${id.replaceAll('.', '_')}_ns`;
}

/** True for stages in which nothing works on the I/O (drawn hatched). */
export function isWaiting(id: StageId): boolean {
  return id.includes('wait') || id.endsWith('.queue') || id.endsWith('.backlog') || id === 'dm.crypt.alloc';
}

/** Cells that a loop over a row takes at a time; a stride is whole steps. */
const STEP = 4;

/** Accounting rows, one per pooled handle (an I/O, a bio or a request). */
export class StageRows {
  /** ns per stage, `row * STAGE_STRIDE + stage`. */
  ns: Float64Array;
  /** Where the row's accounting starts (ns). */
  startNs: Float64Array;
  /** Up to where the row is accounted (ns). */
  lastNs: Float64Array;
  /** More than the highest stage ever marked, whole steps: the cells from here on are zero in every row, and are never looked at. */
  private width = STEP;

  constructor(capacity: number) {
    this.ns = new Float64Array(capacity * STAGE_STRIDE);
    this.startNs = new Float64Array(capacity);
    this.lastNs = new Float64Array(capacity);
  }

  /** Makes room for `capacity` rows, keeping what is there. */
  grow(capacity: number): void {
    const ns = new Float64Array(capacity * STAGE_STRIDE);
    ns.set(this.ns);
    this.ns = ns;
    const startNs = new Float64Array(capacity);
    startNs.set(this.startNs);
    this.startNs = startNs;
    const lastNs = new Float64Array(capacity);
    lastNs.set(this.lastNs);
    this.lastNs = lastNs;
  }

  /** Begins a row: all stages zero, accounting starts at `atNs`. */
  start(row: number, atNs: number): void {
    const ns = this.ns;
    const at = row * STAGE_STRIDE;
    for (let i = at, end = at + this.width; i < end; i += STEP) {
      ns[i] = 0;
      ns[i + 1] = 0;
      ns[i + 2] = 0;
      ns[i + 3] = 0;
    }
    this.startNs[row] = atNs;
    this.lastNs[row] = atNs;
  }

  /** Attributes everything since the last mark, up to `untilNs`, to `stage`. */
  mark(row: number, stage: number, untilNs: number): void {
    if (stage >= this.width) this.width = stage + STEP - (stage % STEP);
    this.ns[row * STAGE_STRIDE + stage] += untilNs - this.lastNs[row];
    this.lastNs[row] = untilNs;
  }

  /** Makes `row` a copy of `from[fromRow]` (a request takes over its first bio's accounting, and gives it back). */
  copyFrom(row: number, from: StageRows, fromRow: number): void {
    const width = this.widenTo(from);
    const to = this.ns;
    const source = from.ns;
    let i = row * STAGE_STRIDE;
    let j = fromRow * STAGE_STRIDE;
    for (const end = i + width; i < end; i += STEP, j += STEP) {
      to[i] = source[j];
      to[i + 1] = source[j + 1];
      to[i + 2] = source[j + 2];
      to[i + 3] = source[j + 3];
    }
    this.startNs[row] = from.startNs[fromRow];
    this.lastNs[row] = from.lastNs[fromRow];
  }

  /**
   * Row `row` joins `into[intoRow]`, which lives on for both (a bio merged into a request). Both must be marked up to the same instant.
   * From here the two run in parallel; `leave` adds what the host row gained meanwhile.
   */
  join(row: number, into: StageRows, intoRow: number): void {
    this.addRow(row, into, intoRow, -1);
  }

  /** Ends what `join` began: the row gains every stage that the host row gained since, and is accounted as far as it. */
  leave(row: number, into: StageRows, intoRow: number): void {
    this.addRow(row, into, intoRow, 1);
    this.lastNs[row] = into.lastNs[intoRow];
  }

  /**
   * The parent takes over the critical child: the one that ended last. The parent was, and stayed, in `fanStage` from the start of its
   * first child until its own last mark, so what overlaps the child is taken back before the child's stages are added.
   */
  adopt(row: number, child: StageRows, childRow: number, fanStage: number): void {
    this.ns[row * STAGE_STRIDE + fanStage] -= this.lastNs[row] - child.startNs[childRow];
    this.addRow(row, child, childRow, 1);
    this.lastNs[row] = child.lastNs[childRow];
  }

  /** Sum of all stages of a row; equals `lastNs - startNs`. */
  total(row: number): number {
    const ns = this.ns;
    const at = row * STAGE_STRIDE;
    const end = at + this.width;
    let even = 0;
    let odd = 0; // two sums, because each addition waits for the one before it
    for (let i = at; i < end; i += STEP) {
      even += ns[i] + ns[i + 2];
      odd += ns[i + 1] + ns[i + 3];
    }
    return even + odd;
  }

  private addRow(row: number, other: StageRows, otherRow: number, sign: number): void {
    const width = this.widenTo(other);
    const to = this.ns;
    const source = other.ns;
    let i = row * STAGE_STRIDE;
    let j = otherRow * STAGE_STRIDE;
    for (const end = i + width; i < end; i += STEP, j += STEP) {
      to[i] += sign * source[j];
      to[i + 1] += sign * source[j + 1];
      to[i + 2] += sign * source[j + 2];
      to[i + 3] += sign * source[j + 3];
    }
  }

  private widenTo(other: StageRows): number {
    if (other.width > this.width) this.width = other.width;
    return this.width;
  }
}
