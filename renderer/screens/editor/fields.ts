/**
 * Which settings the form shows, in which order and as what. What is allowed, the defaults and the descriptions come from the published schema
 * (`definition/schema`), so that they are said once.
 */
import { formatBytes, formatExact } from '../../../core/units/format.ts';
import { parseBytes, parseTimeNs } from '../../../core/units/parse.ts';
import { partsOf } from '../../stores/pointer.ts';

export type FieldKind = 'choice' | 'flag' | 'count' | 'bytes' | 'time' | 'text';

export interface FieldSpec {
  readonly path: string;
  readonly kind: FieldKind;
}

/** A part of the definition that is there or not: what switching it on puts in. */
export interface PartSpec {
  readonly id: 'crypto' | 'encryption';
  readonly path: string;
  readonly value: unknown;
}

export interface SectionSpec {
  readonly id: 'device' | 'crypto' | 'encryption' | 'power' | 'machine' | 'queue' | 'run';
  readonly fields: readonly FieldSpec[];
  /** The section's fields are about this part, and shown only where it is. */
  readonly part?: PartSpec;
  /** Rarely needed: closed at first. */
  readonly isFolded?: boolean;
}

const field = (kind: FieldKind, ...paths: string[]): FieldSpec[] => paths.map((path) => ({ path, kind }));

const UFS: readonly FieldSpec[] = [
  ...field('bytes', '/device/capacity'),
  ...field('choice', '/device/host/generation', '/device/host/gear'),
  ...field('count', '/device/host/lanes', '/device/queueDepth', '/device/hwQueues'),
  ...field('flag', '/device/host/mcq'),
  ...field('flag', '/device/host/interruptAggregation'),
  ...field('choice', '/device/media/profile'),
];
const UFS_POWER: readonly FieldSpec[] = [
  ...field('flag', '/device/power/clockGating'),
  ...field('choice', '/device/power/generation'),
  ...field('time', '/device/power/gateAfter', '/device/power/ungate', '/device/power/autoHibern8'),
  ...field('flag', '/device/power/runtimePm'),
  ...field('time', '/device/power/autosuspend'),
];
const NULL_DEVICE: readonly FieldSpec[] = [
  ...field('bytes', '/device/capacity', '/device/logicalBlockSize'),
  ...field('time', '/device/latency'),
  ...field('count', '/device/parallelism', '/device/queueDepth', '/device/hwQueues'),
  ...field('bytes', '/device/bandwidth'),
];
const UFS_CRYPTO: readonly FieldSpec[] = [
  ...field('choice', '/device/crypto/engine', '/device/crypto/keyManager'),
  ...field('count', '/device/crypto/keyslots', '/device/crypto/dunBytes'),
  ...field('time', '/device/crypto/programTime', '/device/crypto/latency'),
  ...field('bytes', '/device/crypto/lineRate'),
];
const NULL_CRYPTO: readonly FieldSpec[] = [
  ...field('count', '/device/crypto/keyslots', '/device/crypto/dunBytes'),
  ...field('time', '/device/crypto/programTime'),
  ...field('choice', '/device/crypto/programming'),
];
/** Of all jobs alike; entries of single jobs are a matter for the JSON view. */
const ENCRYPTION: SectionSpec = {
  id: 'encryption',
  part: { id: 'encryption', path: '/encryption/jobs/*', value: {} },
  fields: [
    ...field('choice', '/encryption/jobs/*/mode'),
    ...field('bytes', '/encryption/jobs/*/dataUnitSize'),
    ...field('choice', '/encryption/jobs/*/keyType', '/encryption/jobs/*/keyPer'),
    ...field('count', '/encryption/jobs/*/keys'),
    ...field('choice', '/encryption/jobs/*/ivLayout', '/queue/keyslotPolicy'),
  ],
};
const crypto = (fields: readonly FieldSpec[]): SectionSpec => ({
  id: 'crypto',
  part: { id: 'crypto', path: '/device/crypto', value: {} },
  fields,
});

const COMMON: readonly SectionSpec[] = [
  {
    id: 'queue',
    fields: [
      ...field('choice', '/queue/scheduler'),
      ...field('count', '/queue/nrRequests', '/queue/rqAffinity', '/queue/nomerges'),
    ],
  },
  {
    id: 'machine',
    fields: [
      ...field('choice', '/machine/profile'),
      ...field('count', '/machine/cpus'),
      ...field('choice', '/machine/idleStates'),
    ],
  },
  {
    id: 'run',
    fields: [
      ...field('choice', '/run/detail', '/run/data'),
      ...field('time', '/run/until', '/run/warmup'),
      ...field('count', '/seed', '/run/repeats'),
    ],
  },
];

/** The sections of the form for a kind of device. */
export function sectionsFor(deviceKind: unknown): readonly SectionSpec[] {
  const isNull = deviceKind === 'null';
  return [
    { id: 'device', fields: isNull ? NULL_DEVICE : UFS },
    crypto(isNull ? NULL_CRYPTO : UFS_CRYPTO),
    ENCRYPTION,
    ...COMMON,
    ...(isNull ? [] : [{ id: 'power', fields: UFS_POWER, isFolded: true } as const]),
  ];
}

/** What the schema says of a setting. */
export interface FieldFacts {
  readonly description: string;
  readonly defaultValue: unknown;
  readonly choices: readonly string[];
  readonly min: number | undefined;
  readonly max: number | undefined;
}

interface SchemaNode {
  readonly description?: string;
  readonly default?: unknown;
  readonly enum?: readonly string[];
  readonly examples?: readonly string[];
  readonly const?: unknown;
  readonly minimum?: number;
  readonly maximum?: number;
  readonly properties?: Readonly<Record<string, SchemaNode>>;
  /** Of a record: what every entry is. */
  readonly additionalProperties?: SchemaNode | boolean;
  readonly oneOf?: readonly SchemaNode[];
}

/** Looks a setting up in the schema; of alternatives, the one of this kind of device. */
export function factsOf(schema: unknown, path: string, deviceKind: unknown): FieldFacts {
  let node = schema as SchemaNode | undefined;
  for (const part of partsOf(path)) {
    const branch = node?.oneOf?.find(({ properties }) => properties?.['kind']?.const === deviceKind) ?? node;
    node = branch?.properties?.[part] ?? entryOf(branch);
  }
  return {
    description: node?.description ?? '',
    defaultValue: node?.default,
    choices: node?.enum ?? node?.examples ?? [],
    min: node?.minimum,
    max: node?.maximum,
  };
}

const entryOf = (node: SchemaNode | undefined): SchemaNode | undefined =>
  typeof node?.additionalProperties === 'object' ? node.additionalProperties : undefined;

/** The canonical value of a quantity being typed (`4k` → `= 4 096 B`); nothing while it is not one. */
export function echoOf(kind: FieldKind, value: unknown): string {
  if ((kind !== 'bytes' && kind !== 'time') || (typeof value !== 'string' && typeof value !== 'number')) return '';
  const parsed = kind === 'bytes' ? parseBytes(value) : parseTimeNs(value);
  if (!parsed.ok) return '';
  if (kind === 'time') return `= ${formatExact(parsed.value)} ns`;
  const exact = `= ${formatExact(parsed.value)} B`;
  return parsed.value >= 1024 ** 2 ? `= ${formatBytes(parsed.value)}` : exact;
}

/** What a control shows of a value; of what is no text or number, its JSON. */
export function textOf(value: unknown): string {
  if (value === undefined || value === null) return '';
  return typeof value === 'string' ? value : JSON.stringify(value);
}

/** What a text field's content becomes in the definition: whole numbers are numbers, everything else stays as typed. */
export function valueOfText(kind: FieldKind, text: string): unknown {
  if (text.trim() === '') return undefined;
  return kind === 'count' && /^-?\d+$/.test(text.trim()) ? Number(text) : text;
}
