/** The published JSON Schema against the validator: what the one accepts the other does, as far as a single field can tell. */
import { describe, expect, it } from 'vitest';
import { jsonSchema } from './definition.ts';
import { definitionOf, problemsOf } from './testing.ts';
import { defaultDefinition } from './validate.ts';

/** The keywords that our schema uses; any other one makes `accepts` throw. */
interface Schema {
  readonly type?: string | readonly string[];
  readonly properties?: Readonly<Record<string, Schema>>;
  readonly required?: readonly string[];
  readonly additionalProperties?: boolean | Schema;
  readonly propertyNames?: Schema;
  readonly items?: Schema;
  readonly anyOf?: readonly Schema[];
  readonly oneOf?: readonly Schema[];
  readonly enum?: readonly unknown[];
  readonly const?: unknown;
  readonly not?: Schema;
  readonly minimum?: number;
  readonly maximum?: number;
  readonly minLength?: number;
  readonly maxLength?: number;
  readonly minItems?: number;
}

const KEYWORDS =
  /^(\$schema|description|default|examples|type|properties|required|additionalProperties|propertyNames|items|anyOf|oneOf|enum|const|not|minimum|maximum|minLength|maxLength|minItems)$/;

/** A JSON Schema validator for those keywords. */
function accepts(schema: Schema, value: unknown): boolean {
  const unknown = Object.keys(schema).find((key) => !KEYWORDS.test(key));
  if (unknown !== undefined) throw new Error(`keyword ${unknown}`);
  const { anyOf, oneOf, not } = schema;
  return (
    (schema.type === undefined || [schema.type].flat().some((type) => hasType(type, value))) &&
    (schema.enum?.includes(value) ?? true) &&
    (!('const' in schema) || schema.const === value) &&
    (anyOf?.some((branch) => accepts(branch, value)) ?? true) &&
    (oneOf === undefined || oneOf.filter((branch) => accepts(branch, value)).length === 1) &&
    (not === undefined || !accepts(not, value)) &&
    acceptsSize(schema, value) &&
    acceptsParts(schema, value)
  );
}

function hasType(type: string, value: unknown): boolean {
  if (type === 'integer') return Number.isInteger(value);
  if (type === 'array') return Array.isArray(value);
  if (type === 'object') return isObject(value);
  return typeof value === type;
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function acceptsSize({ minimum, maximum, minLength, maxLength, minItems }: Schema, value: unknown): boolean {
  if (typeof value === 'number') return value >= (minimum ?? -Infinity) && value <= (maximum ?? Infinity);
  if (typeof value === 'string') return value.length >= (minLength ?? 0) && value.length <= (maxLength ?? Infinity);
  return !Array.isArray(value) || value.length >= (minItems ?? 0);
}

function acceptsParts(schema: Schema, value: unknown): boolean {
  const { properties = {}, required = [], additionalProperties, items } = schema;
  if (Array.isArray(value)) return items === undefined || value.every((item) => accepts(items, item));
  if (!isObject(value)) return true;
  return (
    required.every((name) => name in value) &&
    Object.entries(value).every(([name, part]) => {
      const own = properties[name] ?? additionalProperties ?? true;
      return typeof own === 'boolean' ? own : accepts(own, part);
    })
  );
}

const schema = jsonSchema() as Schema;
const ufs = (more: object): object => definitionOf({ device: { kind: 'ufs', ...more } });

const GOOD: readonly (readonly [string, unknown])[] = [
  [
    'encryption of jobs',
    definitionOf({
      device: { kind: 'ufs', crypto: { engine: 'qcom-ice', programTime: '50us', secureMonitor: { calls: 'atomic' } } },
      queue: { keyslotPolicy: 'dispatch-hold-key', blocking: true },
      encryption: {
        jobs: { '*': { keyPer: 'io', keys: 4, plainShare: 0.5, churn: { createPerSecond: 10, evictAfter: '1ms' } } },
        fallback: { bouncePages: 32 },
      },
    }),
  ],
  ['the default definition', defaultDefinition()],
  ['the least definition', definitionOf({})],
  ['sizes and times as texts', ufs({ capacity: '128GiB', power: { gateAfter: '10ms', autoHibern8: '0' } })],
  ['sizes and times as numbers', ufs({ capacity: 2 ** 36, power: { gateAfter: 10_000_000, autoHibern8: 0 } })],
  ['MCQ', ufs({ queueDepth: 128, hwQueues: 4, host: { generation: 'ufs-4.0', gear: 'HS-G5', mcq: true } })],
  [
    'crypto capabilities',
    ufs({ crypto: { keyslots: 16, algorithms: [{ mode: 'AES-256-XTS', dataUnitSizes: ['4k'] }] } }),
  ],
  ['overrides', { ...ufs({ media: { overrides: { timing: { readNs: 1 } } } }), machine: { costs: { wakeNs: '1us' } } }],
  ['a fixed latency', definitionOf({ device: { kind: 'null', latency: '5us', logicalBlockSize: 512 } })],
  [
    'a distribution',
    definitionOf({ device: { kind: 'null', latency: { distribution: 'uniform', min: 0, max: '1ms' } } }),
  ],
  [
    'a scheduler',
    definitionOf({ queue: { scheduler: 'kyber', schedulerOptions: { readLat: '2ms' }, nrRequests: 64 } }),
  ],
  [
    'faults',
    definitionOf({
      faults: [
        { at: '40ms', fault: 'host-reset' },
        { fault: 'command-error', ocs: 'aborted', after: { commands: 7 }, count: 3 },
        { fault: 'fatal-error', at: 5, cause: 'utp', every: '1ms', count: 2 },
      ],
    }),
  ],
  ['a run', definitionOf({ run: { until: '2s', warmup: '10ms', repeats: 3, detail: 'full', check: false } })],
];

const BAD: readonly (readonly [string, unknown])[] = [
  ['an unknown name', definitionOf({ sede: 1 })],
  ['an unknown name further down', ufs({ host: { gaer: 'HS-G4' } })],
  ['another format', definitionOf({ format: 2 })],
  ['no device', { format: 1, workload: { fio: '[a]' } }],
  ['an unknown kind', definitionOf({ device: { kind: 'ssd' } })],
  ['too many CPUs', definitionOf({ machine: { cpus: 65 } })],
  ['an unknown scheduler', definitionOf({ queue: { scheduler: 'bfq' } })],
  ['a switch that is a text', ufs({ power: { clockGating: 'yes' } })],
  ['an empty job file', definitionOf({ workload: { fio: '' } })],
  ['an unknown fault', definitionOf({ faults: [{ fault: 'hots-reset' }] })],
  ['a parameter of another fault', definitionOf({ faults: [{ fault: 'host-reset', slot: 1 }] })],
  ['a device-mapper target', definitionOf({ stack: [{}] })],
];

describe('the JSON Schema', () => {
  it.each(GOOD)('accepts %s, as the validator does', (_, definition) => {
    expect(problemsOf(definition)).toEqual([]);
    expect(accepts(schema, definition)).toBe(true);
  });

  it.each(BAD)('refuses %s, as the validator does', (_, definition) => {
    expect(problemsOf(definition)).not.toEqual([]);
    expect(accepts(schema, definition)).toBe(false);
  });

  it('names its dialect and describes what is to be chosen', () => {
    expect(schema).toMatchObject({ $schema: 'https://json-schema.org/draft/2020-12/schema', type: 'object' });
    expect(JSON.stringify(schema)).toContain('answered busy and requeued');
  });
});
