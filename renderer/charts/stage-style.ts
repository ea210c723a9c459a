/**
 * How stages look, for good: work is solid in the colour of its family, waiting is grey and hatched. A wait for one thing has an edge in that thing's
 * colour. A new stage gets a pattern before a new hue.
 */
import { isWaiting, STAGE_IDS, type StageId } from '../../core/trace/stages.ts';
import { wordsFor } from '../locales/words.ts';

export type Family = 'dm' | 'wait' | 'keyslot' | 'host' | 'link' | 'inline' | 'media' | 'complete';

export interface StageStyle {
  readonly family: Family;
  readonly pattern: 'solid' | 'dots' | 'hatch' | 'back-hatch' | 'wait-dots';
  /** Family of what is waited for. */
  readonly edge: Family | null;
}

/** Working stages by the start of their id; the first that fits. */
const WORKING: readonly (readonly [string, Family, StageStyle['pattern']])[] = [
  ['dm.verity.fec', 'dm', 'dots'],
  ['fallback.', 'dm', 'dots'],
  ['dm.', 'dm', 'solid'],
  ['keyslot.program', 'keyslot', 'solid'],
  ['submit', 'host', 'solid'],
  ['host.', 'host', 'solid'],
  ['link', 'link', 'solid'],
  ['inline', 'inline', 'solid'],
  ['device.cpu', 'media', 'dots'],
  ['media', 'media', 'solid'],
  ['complete.softirq', 'complete', 'dots'],
  ['complete.', 'complete', 'solid'],
];

/** Waits with a mark of their own; all others are hatched. */
const WAITING: Readonly<Partial<Record<StageId, Pick<StageStyle, 'pattern' | 'edge'>>>> = {
  'wait.keyslot': { pattern: 'back-hatch', edge: 'keyslot' },
  'wait.dispatch': { pattern: 'wait-dots', edge: null },
  'wait.link': { pattern: 'hatch', edge: 'link' },
  'media.wait': { pattern: 'hatch', edge: 'media' },
  'device.wait': { pattern: 'wait-dots', edge: 'media' },
  'host.queue': { pattern: 'hatch', edge: 'host' },
  'fallback.queue': { pattern: 'wait-dots', edge: 'dm' },
};

export function stageStyle(stage: StageId): StageStyle {
  if (isWaiting(stage)) return { family: 'wait', pattern: 'hatch', edge: null, ...WAITING[stage] };
  const found = WORKING.find(([start]) => stage.startsWith(start));
  return { family: found?.[1] ?? 'host', pattern: found?.[2] ?? 'solid', edge: null };
}

export function isStage(id: string): id is StageId {
  return (STAGE_IDS as readonly string[]).includes(id);
}

export function stageName(stage: string): string {
  return wordsFor(`stage.${stage}`, stage);
}

/** The stages in the order in which an I/O usually goes through them. */
export const PATH_ORDER: readonly StageId[] = [
  'submit',
  'dm.map',
  'dm.crypt.alloc',
  'dm.crypt.queue',
  'dm.crypt.cpu',
  'dm.crypt.engine',
  'dm.crypt.backlog',
  'dm.crypt.write_thread',
  'fallback.queue',
  'fallback.cpu',
  'wait.queue',
  'wait.plug',
  'wait.tag',
  'wait.keyslot',
  'keyslot.program',
  'wait.flush',
  'wait.sched',
  'wait.dispatch',
  'wait.requeue',
  'wait.power',
  'host.cpu',
  'host.queue',
  'device.wait',
  'device.cpu',
  'media.wait',
  'media',
  'wait.link',
  'link',
  'inline',
  'complete.irq',
  'complete.softirq',
  'complete.cpu',
  'dm.verity.queue',
  'dm.verity.cpu',
  'dm.verity.engine',
  'dm.verity.metadata',
  'dm.verity.fec',
];

const placeOf = new Map<string, number>(PATH_ORDER.map((stage, i) => [stage, i]));

/** Sorts by the usual order of the path. */
export function byPath(a: string, b: string): number {
  return (placeOf.get(a) ?? PATH_ORDER.length) - (placeOf.get(b) ?? PATH_ORDER.length);
}
