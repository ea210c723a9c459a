/**
 * From lines to settings: each line's option is looked up (general ones first, then those of the section's ioengine), its value
 * read, and the settings of all global sections above a job are put before the job's own.
 *
 * The order that must hold is fio's: kb_base decides the units of its whole section, and engine options are known by the
 * ioengine that stands when the section ends, wherever in the section it is set. All else is last one wins.
 */
import type { IssueList, Place } from './issues.ts';
import {
  readBssplit,
  readCmdprioSplit,
  readCpuList,
  readDistribution,
  readFileService,
  readRw,
  readSyncFileRange,
} from './lists.ts';
import { EMULATED_ENGINES, OTHER_ENGINES } from './options-engine.ts';
import {
  enginesOf,
  findEngineOption,
  findOption,
  GENERAL_OPTIONS,
  type OptionSpec,
  type OptionType,
} from './options.ts';
import type { FioLine, FioSection } from './parse.ts';
import { suggestOption, suggestWord } from './suggest.ts';
import {
  readAmounts,
  readFloats,
  readPattern,
  readRanges,
  readSwitch,
  readText,
  readWord,
  type Value,
  type ValueContext,
} from './values.ts';

/** One option with its value and where it was set (undefined for fio's defaults). */
export interface Setting {
  readonly spec: OptionSpec;
  readonly value: Value;
  readonly line: FioLine | undefined;
  /** Place in the order of all settings of the file: of two opposite options the later one holds. */
  readonly order: number;
}

/** The settings of one section, in file order, with those inherited from the global sections above it in front. */
export interface SectionSettings {
  readonly section: FioSection;
  readonly inherited: readonly Setting[];
  readonly own: readonly Setting[];
  readonly engine: string;
}

const DEFAULT_ENGINE = 'psync';

type Reader = (text: string, spec: OptionSpec, context: ValueContext) => Value | undefined;

const READERS: Readonly<Record<Exclude<OptionType, 'flag' | 'optionalText' | 'deprecated'>, Reader>> = {
  int32: readAmounts,
  int64: readAmounts,
  bool: readSwitch,
  word: readWord,
  text: readText,
  floats: readFloats,
  ranges: readRanges,
  pattern: readPattern,
  engine: readEngine,
  rw: readRw,
  bssplit: readBssplit,
  distribution: readDistribution,
  fileService: readFileService,
  cmdprioSplit: readCmdprioSplit,
  syncFileRange: readSyncFileRange,
  cpuList: readCpuList,
};

/** Reads an option's value; undefined when it is wrong, which has then been reported. */
export function readValue(text: string | undefined, spec: OptionSpec, context: ValueContext): Value | undefined {
  if (spec.type === 'flag') return readSwitch(text, spec, context);
  if (spec.type === 'optionalText' || spec.type === 'deprecated') return { kind: 'text', text: text ?? '' };
  if (text === undefined) {
    context.error('value', 'a value is required', `write ${spec.name}=…`);
    return undefined;
  }
  return READERS[spec.type](text, spec, context);
}

function readEngine(text: string, spec: OptionSpec, context: ValueContext): Value | undefined {
  if (Object.hasOwn(EMULATED_ENGINES, text)) return { kind: 'text', text };
  const name = text.split(':')[0];
  const known = Object.keys(EMULATED_ENGINES);
  if (OTHER_ENGINES.includes(name)) {
    context.error('not-emulated', `ioengine ${name} is not emulated`, `emulated: ${known.join(', ')}`);
  } else if (known.includes(text.trim())) {
    context.error('value', `fio takes no blank before "${text.trim()}"`, `write ${spec.name}=${text.trim()}`);
  } else {
    const nearest = suggestWord(text, known);
    context.error(
      'value',
      `there is no ioengine "${text}"`,
      `${nearest === undefined ? '' : `did you mean ${nearest}? `}emulated: ${known.join(', ')}`,
    );
  }
  return undefined;
}

/** fio's defaults as settings, read by the same rules as everything else. */
export const DEFAULT_SETTINGS: readonly Setting[] = GENERAL_OPTIONS.flatMap((spec): Setting[] => {
  if (spec.default === undefined) return [];
  const value = readValue(spec.default, spec, { kbBase: 1024, error: badDefault, warning: badDefault });
  return value === undefined ? [] : [{ spec, value, line: undefined, order: -1 }];
});

function badDefault(code: string, message: string): never {
  throw new Error(`fio option table: wrong default (${code}): ${message}`);
}

/** Interprets all sections; globals are returned too, for their own settings. */
export function interpretSections(sections: readonly FioSection[], issues: IssueList): SectionSettings[] {
  let globals: readonly Setting[] = [];
  let order = 0;
  return sections.map((section) => {
    const inherited = globals;
    const engine = engineOf(section, inherited);
    const kbBase = kbBaseOf(section, inherited);
    const own: Setting[] = [];
    for (const line of section.lines) {
      const setting = interpretLine(line, engine, kbBase, issues);
      if (setting !== undefined) own.push({ ...setting, order: order++ });
    }
    if (section.isGlobal) globals = [...inherited, ...own];
    return { section, inherited, own, engine };
  });
}

function engineOf(section: FioSection, inherited: readonly Setting[]): string {
  const written = section.lines.findLast((line) => line.key === 'ioengine')?.value;
  if (written !== undefined && written !== '') return written.trim().split(':')[0];
  const value = inherited.findLast((setting) => setting.spec.name === 'ioengine')?.value;
  return value?.kind === 'text' ? value.text : DEFAULT_ENGINE;
}

function kbBaseOf(section: FioSection, inherited: readonly Setting[]): 1000 | 1024 {
  const written = section.lines.findLast((line) => line.key === 'kb_base')?.value;
  if (written !== undefined) return written === '1000' ? 1000 : 1024;
  const value = inherited.findLast((setting) => setting.spec.name === 'kb_base')?.value;
  return value?.kind === 'word' && value.word === '1000' ? 1000 : 1024;
}

function interpretLine(
  line: FioLine,
  engine: string,
  kbBase: 1000 | 1024,
  issues: IssueList,
): Omit<Setting, 'order'> | undefined {
  const spec = findOption(line.key) ?? findEngineOption(line.key, engine);
  if (spec === undefined) {
    reportUnknown(line, engine, issues);
    return undefined;
  }
  const place: Place = {
    file: line.file,
    line: line.line,
    column: line.value === undefined ? line.column : line.valueColumn,
  };
  const value = readValue(line.value, spec, {
    kbBase,
    error: (code, message, hint) => {
      issues.error(place, code, `${line.key}: ${message}`, hint);
    },
    warning: (code, message, hint) => {
      issues.warning(place, code, `${line.key}: ${message}`, hint);
    },
  });
  if (value === undefined) return undefined;
  reportEffect(line, spec, value, issues);
  return { spec, value, line };
}

function reportUnknown(line: FioLine, engine: string, issues: IssueList): void {
  const engines = enginesOf(line.key);
  if (engines.length > 0) {
    issues.error(
      line,
      'wrong-engine',
      `${line.key} is an option of ioengine ${engines.join(', ')}; the ioengine here is ${engine}`,
      `set ioengine=${engines[0]} in this section`,
    );
    return;
  }
  const nearest = suggestOption(line.key, engine);
  issues.error(
    line,
    'unknown-option',
    `unknown option "${line.key}"`,
    nearest === undefined ? undefined : `did you mean ${nearest}?`,
  );
}

function reportEffect(line: FioLine, spec: OptionSpec, value: Value, issues: IssueList): void {
  // a refused option that is switched off changes nothing
  if (spec.effect === 'refuse' && !(value.kind === 'switch' && !value.isOn)) {
    issues.error(line, 'not-emulated', `${spec.name} is not possible here: ${spec.note ?? 'not emulated'}`);
  } else if (spec.effect === 'ignore') {
    issues.warning(line, 'ignored', `${spec.name} is ignored: ${spec.note ?? 'not emulated'}`);
  }
}
