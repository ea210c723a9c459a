/**
 * The option table of fio 3.33 as data: every key that its job files know, with its kind of value, limits and default, and what
 * the emulation does with it.
 *
 * `honour` options become part of a FioJob (or decide how the others are read). `ignore` options are checked like fio checks
 * them and then reported by a warning with their line; `note` says why nothing is lost or where the same thing is set here.
 * `refuse` options are errors: the job would be a different one without them.
 *
 * @source fio 3.33 `fio --cmdhelp=all`, `fio --enghelp`, HOWTO "Job description" (names, kinds, limits and defaults)
 */
import { ENGINE_OPTIONS } from './options-engine.ts';
import { HONOURED_OPTIONS } from './options-honoured.ts';
import { UNUSED_OPTIONS } from './options-unused.ts';

/** Kinds of values; `values.ts` and `lists.ts` have one reader for each. */
export type OptionType =
  | 'int32' // fio's "int": 32 bits; byte units unless `unit` says time
  | 'int64'
  | 'bool' // 0 or 1, always with a value
  | 'flag' // bare key, or a number: 0 switches off
  | 'word' // one of `words`, with a `:postfix` where `postfix` says so
  | 'text' // any text that is not empty
  | 'optionalText'
  | 'floats' // colon-separated
  | 'ranges' // low-high, per direction
  | 'pattern' // "text", 0xhex or decimal
  | 'engine'
  | 'rw'
  | 'bssplit'
  | 'distribution'
  | 'fileService'
  | 'cmdprioSplit'
  | 'syncFileRange'
  | 'cpuList'
  | 'deprecated';

export interface OptionSpec {
  readonly name: string;
  readonly alias?: string;
  readonly type: OptionType;
  /** Values by direction (3: read, write, trim; 2: read, write) or low and high of a range; 1 if absent. */
  readonly slots?: 2 | 3;
  /** Default unit of a time; absent: bytes or a plain count. */
  readonly unit?: 'us' | 's';
  /** Takes `N%` of the device and `Nz` zones. */
  readonly extent?: true;
  readonly min?: number;
  readonly max?: number;
  readonly powerOfTwo?: true;
  readonly maxItems?: number;
  readonly words?: readonly string[];
  readonly postfix?: 'optional' | 'required';
  /** fio's own default, in the option's syntax. */
  readonly default?: string;
  /** Only known while one of these is the job's ioengine. */
  readonly engines?: readonly string[];
  /** `honour` if absent. */
  readonly effect?: 'honour' | 'ignore' | 'refuse';
  /** Why it is ignored or refused. */
  readonly note?: string;
}

/** All options that are known whatever the ioengine. */
export const GENERAL_OPTIONS: readonly OptionSpec[] = [...HONOURED_OPTIONS, ...UNUSED_OPTIONS];

const BY_NAME = new Map<string, OptionSpec>();
for (const spec of GENERAL_OPTIONS) {
  BY_NAME.set(spec.name, spec);
  if (spec.alias !== undefined) BY_NAME.set(spec.alias, spec);
}

/** The option with this name or alias that every ioengine has. */
export function findOption(key: string): OptionSpec | undefined {
  return BY_NAME.get(key);
}

/** The option of one ioengine, or undefined when that engine has none of this name. */
export function findEngineOption(key: string, engine: string): OptionSpec | undefined {
  return ENGINE_OPTIONS.find((spec) => isNamed(spec, key) && spec.engines?.includes(engine));
}

/** The ioengines that know this option, empty when none does. */
export function enginesOf(key: string): readonly string[] {
  return ENGINE_OPTIONS.filter((spec) => isNamed(spec, key)).flatMap((spec) => spec.engines ?? []);
}

function isNamed(spec: OptionSpec, key: string): boolean {
  return spec.name === key || spec.alias === key;
}
