/**
 * Typed look-up in a job's settings: fio's defaults, then the globals', then the job's own, in file order. The last one wins,
 * direction by direction where a value is per direction (`bs=,8k` leaves the read size as it was).
 */
import type { Amount } from './numbers.ts';
import { DEFAULT_SETTINGS, type SectionSettings, type Setting } from './settings.ts';
import type { PerDirection, Value } from './values.ts';

type KindOf<K extends Value['kind']> = Extract<Value, { kind: K }>;

export class SettingsReader {
  /** Settings by option, in order; the defaults first. */
  private readonly byName = new Map<string, Setting[]>();

  constructor(section: SectionSettings) {
    // an inherited engine option has no say in a job with another engine
    const inherited = section.inherited.filter(
      ({ spec }) => spec.engines === undefined || spec.engines.includes(section.engine),
    );
    for (const list of [DEFAULT_SETTINGS, inherited, section.own]) {
      for (const setting of list) {
        const same = this.byName.get(setting.spec.name);
        if (same === undefined) this.byName.set(setting.spec.name, [setting]);
        else same.push(setting);
      }
    }
  }

  /** The last setting of the option, not counting fio's default. */
  lastGiven(name: string): Setting | undefined {
    const setting = this.byName.get(name)?.at(-1);
    return setting?.line === undefined ? undefined : setting;
  }

  /** Which of two opposite options was set last; undefined when neither was. */
  laterOf(one: string, other: string): Setting | undefined {
    const [first, second] = [this.lastGiven(one), this.lastGiven(other)];
    if (first === undefined || second === undefined) return first ?? second;
    return first.order > second.order ? first : second;
  }

  /** Whether the job file sets the option, in the job or above it. */
  isGiven(name: string): boolean {
    return this.lastGiven(name) !== undefined;
  }

  /** The last value of this kind, defaults included. */
  value<K extends Value['kind']>(name: string, kind: K): KindOf<K> | undefined {
    const value = this.byName.get(name)?.at(-1)?.value;
    return value?.kind === kind ? (value as KindOf<K>) : undefined;
  }

  /** All values of this kind in order, defaults included. */
  values<K extends Value['kind']>(name: string, kind: K): readonly KindOf<K>[] {
    const settings = this.byName.get(name) ?? [];
    return settings.flatMap(({ value }) => (value.kind === kind ? [value as KindOf<K>] : []));
  }

  /** A single number in the option's own unit (times: µs), 0 when it has neither value nor default. */
  count(name: string): number {
    return this.amount(name)?.value ?? 0;
  }

  amount(name: string): Amount | undefined {
    return this.value(name, 'amounts')?.items[0];
  }

  /** Numbers by direction; directions never set are 0. */
  triple(name: string): PerDirection<number> {
    const [read, write, trim] = this.perDirection(this.values(name, 'amounts').map(({ items }) => items));
    return [read?.value ?? 0, write?.value ?? 0, trim?.value ?? 0];
  }

  /** The last value of each direction. */
  perDirection<T>(
    lists: readonly (readonly (T | undefined)[])[],
  ): readonly [T | undefined, T | undefined, T | undefined] {
    const last = (direction: number): T | undefined =>
      lists.findLast((items) => items[direction] !== undefined)?.[direction];
    return [last(0), last(1), last(2)];
  }

  isOn(name: string): boolean {
    return this.value(name, 'switch')?.isOn ?? false;
  }

  word(name: string): string | undefined {
    return this.value(name, 'word')?.word;
  }

  text(name: string): string | undefined {
    return this.value(name, 'text')?.text;
  }
}
