/** The scenarios: each gives exactly what its expected.json says; the keyslot laws hold in the tables that users get; the command line lists and runs them. */
import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import Database from 'better-sqlite3';
import { describe, expect, test } from 'vitest';
import type { RunSummary } from '../../core/contract/summary.ts';
import { listScenarios, readScenario, SCENARIO_FOLDER } from '../../main/scenarios/scenarios.ts';
import { type ExpectedRun, expectedOf, runVariant } from '../../scripts/lib/expected.ts';
import { claimTables } from '../../scripts/lib/guide-tables.ts';
import {
  claimRows,
  FEW_SLOTS,
  SCENARIO,
  SEPARATE_POOLS,
  SHARED_TAGS,
} from '../../scripts/validation/keyslot-claims.ts';
import { lineRate } from '../../scripts/validation/line-rate.ts';
import { temporaryFolder } from './support/temporary.ts';

const CLI = join(import.meta.dirname, '../../main/cli.ts');

function blklab(...args: readonly string[]) {
  const { status, stdout, stderr } = spawnSync(process.execPath, [CLI, ...args], { encoding: 'utf8' });
  return { status, stdout, stderr };
}

const scenarios = listScenarios();
const variants = scenarios.flatMap((s) => Object.keys(s.variants).map((v) => [`${s.slug}:${v}`, s, v] as const));

/** Variants that are there to show what breaks. */
const BREACHES: readonly string[] = ['sleeping-key-programming:dispatch-sleeping-unsafe'];

/** Variants whose fault no job survives, and what the run says of it. */
const WARNINGS: Readonly<Record<string, readonly string[]>> = {
  'key-loss-and-recovery:smc-busy-atomic': [
    'app.0 ended early: I/O 707 failed: EBUSY',
    'app.1 ended early: I/O 695 failed: EBUSY',
  ],
};

describe('every scenario', () => {
  test.each(variants)('%s gives what is expected, and breaks a law only to show it', (name, scenario, variant) => {
    const file = join(SCENARIO_FOLDER, scenario.slug, 'expected.json');
    const expected = JSON.parse(readFileSync(file, 'utf8')) as Readonly<Record<string, ExpectedRun>>;
    const summary = runVariant(scenario, variant);
    expect(summary.warnings).toEqual(WARNINGS[name] ?? []);
    expect(summary.violations.length > 0).toBe(BREACHES.includes(name));
    expect(expectedOf(summary, claimRows(scenario.slug, variant, summary))).toEqual(expected[variant]);
  });

  test.each(scenarios.map((s) => [s.slug, s] as const))('%s has a reading guide with sources', (_slug, scenario) => {
    expect(scenario.title).not.toBe(scenario.slug);
    expect(scenario.readme).toMatch(/^## What to look at$/m);
    expect(scenario.readme).toMatch(/^## Sources$/m);
    for (const variant of Object.keys(scenario.variants))
      expect(scenario.readme.includes(variant.replace(/^(slots|few-tags|per-file|pools|tags|batched)-.*$/, '$1'))).toBe(
        true,
      );
  });
});

/** Rows of pairs that break a law; each query must find none. */
const LAWS: readonly (readonly [string, string])[] = [
  [
    'a keyslot never holds two keys at one time',
    `SELECT a.run_id, a.slot, a.key_id, b.key_id, b.start_ns
     FROM (SELECT *, lead(start_ns) OVER w AS next_ns FROM keyslot_span WINDOW w AS (PARTITION BY run_id, slot ORDER BY start_ns, end_ns)) a
     JOIN keyslot_span b ON b.run_id = a.run_id AND b.slot = a.slot AND b.start_ns = a.next_ns
     WHERE a.next_ns < a.end_ns`,
  ],
  [
    'no slot is programmed while a request that uses it is with the device',
    `SELECT r.request_id, s.slot FROM keyslot_span s
     JOIN request r ON r.run_id = s.run_id AND r.keyslot = s.slot
     WHERE s.state = 'programming' AND r.issued_ns < s.end_ns AND r.completed_ns > s.start_ns`,
  ],
  [
    'a request is with the device only while its slot is in use with its key',
    `SELECT r.request_id FROM request r
     WHERE r.key_id IS NOT NULL AND r.keyslot >= 0 AND NOT EXISTS (
       SELECT 1 FROM keyslot_span s WHERE s.run_id = r.run_id AND s.slot = r.keyslot AND s.key_id = r.key_id
         AND s.state = 'in_use' AND s.start_ns <= r.issued_ns AND s.end_ns >= r.issued_ns)`,
  ],
  [
    'stages of every request add up, those of keyslots among them',
    `SELECT request_id FROM request WHERE key_id IS NOT NULL
     AND coalesce(st_wait_keyslot_ns, 0) + coalesce(st_keyslot_program_ns, 0) > total_ns`,
  ],
];

const SLUGS = ['keyslot-starvation', 'whole-queue-blocking'];

/** A dozen runs into a file each. */
const TIMEOUT_MS = 180_000;

describe('the keyslot laws in the project file', () => {
  test.each(SLUGS)('hold in all variants of %s', { timeout: TIMEOUT_MS }, (slug) => {
    const project = join(temporaryFolder(), 'p.blklab');
    const { status, stdout } = blklab('run', slug, '--quiet', '--json', '--project', project);
    expect(status).toBe(0);
    const summaries = JSON.parse(stdout) as Readonly<Record<string, RunSummary>>;
    expect(Object.keys(summaries)).toEqual(Object.keys(readScenario(slug)?.variants ?? {}));
    const db = new Database(project, { readonly: true });
    db.pragma('temp_store = memory');
    const broken = runsOf(db).flatMap((id) => brokenIn(db, id));
    expect(broken).toEqual([]);
    for (const { run, keyslots } of Object.values(summaries)) expect(programsIn(db, run.name)).toBe(keyslots.programs);
    db.close();
  });
});

function runsOf(db: Database.Database): number[] {
  return db.prepare('SELECT run_id FROM run').pluck().all() as number[];
}

/** Laws that the rows of one run break: temporary tables with an index each stand in front of those of the project. */
function brokenIn(db: Database.Database, runId: number): string[] {
  db.exec(`DROP TABLE IF EXISTS temp.keyslot_span; DROP TABLE IF EXISTS temp.request;
    CREATE TEMP TABLE keyslot_span AS SELECT * FROM main.keyslot_span WHERE run_id = ${runId};
    CREATE TEMP TABLE request AS SELECT * FROM main.request WHERE run_id = ${runId};
    CREATE INDEX temp.span_of_slot ON keyslot_span (run_id, slot, key_id, start_ns);
    CREATE INDEX temp.request_of_slot ON request (run_id, keyslot, issued_ns);`);
  return LAWS.filter(([, sql]) => db.prepare(sql).get() !== undefined).map(([law]) => `run ${runId}: ${law}`);
}

/** Programmings of the run of that name, as the spans tell; one that takes no time has no span, but its key is in use afterwards. */
function programsIn(db: Database.Database, name: string): number {
  const counted = db
    .prepare(
      `SELECT count(*) FILTER (WHERE state = 'programming') AS programmed FROM main.keyslot_span
       WHERE run_id = (SELECT run_id FROM run JOIN experiment ON experiment.id = run.experiment_id WHERE name = ?)`,
    )
    .pluck()
    .get(name);
  return name.endsWith('free-programming') ? changesIn(db, name) : (counted as number);
}

/** Changes of a slot's key. */
function changesIn(db: Database.Database, name: string): number {
  return db
    .prepare(
      `SELECT count(*) FROM (
         SELECT key_id, lag(key_id, 1, -1) OVER (PARTITION BY slot ORDER BY start_ns, end_ns) AS before FROM main.keyslot_span
         WHERE run_id = (SELECT run_id FROM run JOIN experiment ON experiment.id = run.experiment_id WHERE name = ?)
       ) WHERE key_id <> before`,
    )
    .pluck()
    .get(name) as number;
}

describe('keyslot-starvation', () => {
  test('with as many slots as keys there are exactly so many programs', () => {
    const scenario = readScenario('keyslot-starvation');
    if (scenario === undefined) throw new Error('no scenario');
    expect(runVariant(scenario, 'keys-equal-slots').keyslots).toMatchObject({ slots: 8, programs: 8, evictions: 0 });
    expect(runVariant(scenario, 'slots-64').keyslots.programs).toBe(64);
  });

  test('with one slot at depth 1 every change of key costs one program', () => {
    const project = join(temporaryFolder(), 'p.blklab');
    blklab('run', 'keyslot-starvation:one-slot-depth-1', '--quiet', '--project', project);
    const db = new Database(project, { readonly: true });
    const changes = `SELECT count(*) FROM (SELECT key_id, lag(key_id, 1, -1) OVER (ORDER BY request_id) AS before FROM request) WHERE key_id <> before`;
    const programs = `SELECT count(*) FROM keyslot_span WHERE state = 'programming'`;
    expect(db.prepare(changes).pluck().get()).toBe(db.prepare(programs).pluck().get());
    db.close();
  });
});

/** Expected results of the scenario that holds the published tables. */
const PUBLISHED = JSON.parse(readFileSync(join(SCENARIO_FOLDER, SCENARIO, 'expected.json'), 'utf8')) as Readonly<
  Record<string, ExpectedRun>
>;

describe('the published tables about keyslots', () => {
  test('every row of both is compared, and lies in its band', () => {
    const rows = [...FEW_SLOTS, ...SEPARATE_POOLS, ...SHARED_TAGS];
    for (const [variant, ...figures] of rows) {
      const { published = [] } = PUBLISHED[variant];
      expect(published).toHaveLength(figures.length);
      for (const { what, published: theirs, ours, band } of published) {
        if (band === 'below') expect(ours, `${variant}: ${what}`).toBeLessThan(theirs);
        else {
          expect(band).toBe(0.1);
          expect(Math.abs(ours / theirs - 1), `${variant}: ${what}`).toBeLessThanOrEqual(0.1);
        }
      }
    }
  });

  test('the user guide shows them as they are', () => {
    const guide = readFileSync(join(import.meta.dirname, '../../docs/user-guide.md'), 'utf8');
    expect(guide).toContain(claimTables(PUBLISHED));
  });

  test('npm run validate judges the same figures', () => {
    const script = join(import.meta.dirname, '../../scripts/validate.ts');
    const { status, stdout } = spawnSync(process.execPath, [script, 'V11'], { encoding: 'utf8' });
    const printed = FEW_SLOTS.flatMap(([variant]) =>
      (PUBLISHED[variant].published ?? []).map(({ what, ours }) => [variant, what, ours] as const),
    );
    expect(status).toBe(0);
    expect(stdout).toContain(`${printed.length} rows, 0 missed`);
    for (const [variant, what, ours] of printed.filter(([, , n]) => n >= 100)) {
      const [name, unit] = splitUnit(what);
      const number = Math.round(ours).toLocaleString('en-US');
      expect(stdout).toMatch(new RegExp(`V11 +${variant}: ${name} .* ${number} ${unit} .* met`));
    }
  });
});

describe('line-rate', () => {
  test('npm run validate: an engine at line rate costs at most 5 % of throughput and of mean latency', () => {
    const rows = lineRate.rows();
    expect(rows).toHaveLength(12);
    for (const { what, published, ours } of rows) {
      expect(published).toBe(5);
      expect(ours, what).toBeLessThan(5);
    }
  });
});

/** `encrypted mean µs` → `encrypted mean`, `µs`. */
function splitUnit(what: string): [string, string] {
  const at = what.lastIndexOf(' ');
  return [what.slice(0, at), what.slice(at + 1)];
}

describe('the command line', () => {
  test('lists the scenarios, as text and as JSON', () => {
    const { status, stdout } = blklab('scenarios');
    expect(status).toBe(0);
    for (const { slug, title } of scenarios) expect(stdout).toContain(`${slug}: ${title}`);
    const list = JSON.parse(blklab('scenarios', '--json').stdout) as readonly { slug: string; variants: string[] }[];
    expect(list.map(({ slug }) => slug)).toEqual(scenarios.map(({ slug }) => slug));
    expect(list.map((s) => s.variants)).toEqual(scenarios.map((s) => Object.keys(s.variants)));
  });

  test('runs one variant like a definition, with the expected trace hash', () => {
    const { status, stdout } = blklab('run', 'dun-merging:lba', '--json', '--quiet');
    const { run } = JSON.parse(stdout) as RunSummary;
    const file = join(SCENARIO_FOLDER, 'dun-merging', 'expected.json');
    const expected = JSON.parse(readFileSync(file, 'utf8')) as Readonly<Record<string, ExpectedRun>>;
    expect({ status, name: run.name, hash: run.traceHash }).toEqual({
      status: 0,
      name: 'dun-merging: lba',
      hash: expected['lba'].traceHash,
    });
  });

  test('runs all variants as one table', () => {
    const { status, stdout } = blklab('run', 'dun-merging', '--quiet', '--set', 'run.detail=summary');
    expect(status).toBe(0);
    expect(stdout).toMatch(/^Data unit numbers and merging\n {2}variant +job +I\/Os/);
    for (const variant of Object.keys(readScenario('dun-merging')?.variants ?? {}))
      expect(stdout).toMatch(new RegExp(`^ {2}${variant} +writer write `, 'm'));
  });

  test('names the variants when there is none of that name, and writes nothing', () => {
    const project = join(temporaryFolder(), 'p.blklab');
    const { status, stderr } = blklab('run', 'dun-merging:nothing', '--project', project);
    expect(status).toBe(2);
    expect(stderr).toContain('There is no variant "nothing" of dun-merging; there are: plain, per-file');
    expect(existsSync(project)).toBe(false);
    expect(blklab('run', 'no-such-thing').stderr).toContain('There is no file no-such-thing, nor a scenario');
  });
});
