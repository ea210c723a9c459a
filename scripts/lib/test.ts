/**
 * All of the tests in one go. The last line on stdout is `N passed, M failed` (and `, K skipped` when there are any), taken from vitest's
 * JSON report; whatever stops the tests from running at all counts as a failure, never as nothing.
 */
import { existsSync, mkdirSync, readFileSync, rmSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { build } from './build.ts';
import { ensureChromium } from './chromium.ts';
import { ROOT, runNode } from './process.ts';

const REPORT = join(ROOT, 'node_modules/.cache/blklab-tests.json');
const PROJECTS = ['core', 'main', 'web', 'e2e'];

/** The parts of vitest's JSON report that are read here. */
export interface Report {
  readonly testResults: readonly {
    readonly name: string;
    readonly status: string;
    readonly assertionResults: readonly { readonly status: string }[];
  }[];
}

export interface Tally {
  readonly passed: number;
  readonly failed: number;
  readonly skipped: number;
}

/** Counts tests; a file that failed without a failed test of its own (it did not load, or a hook failed) counts as one failure. */
export function tally(report: Report): Tally {
  let passed = 0;
  let failed = 0;
  let skipped = 0;
  for (const file of report.testResults) {
    const failedBefore = failed;
    for (const { status } of file.assertionResults) {
      if (status === 'passed') passed++;
      else if (status === 'failed') failed++;
      else skipped++;
    }
    if (file.status === 'failed' && failed === failedBefore) failed++;
  }
  return { passed, failed, skipped };
}

/** The line that `npm test` ends with. */
export function tallyLine({ passed, failed, skipped }: Tally): string {
  return `${passed} passed, ${failed} failed${skipped > 0 ? `, ${skipped} skipped` : ''}`;
}

async function runVitest(filters: readonly string[], chromium: string): Promise<Tally> {
  mkdirSync(dirname(REPORT), { recursive: true });
  rmSync(REPORT, { force: true });
  const projects = PROJECTS.flatMap((name) => ['--project', name]);
  const reporters = ['--reporter=default', '--reporter=json', `--outputFile.json=${REPORT}`];
  const env = { ...process.env, CHROMIUM: chromium };
  const code = await runNode('node_modules/vitest/vitest.mjs', ['run', ...projects, ...reporters, ...filters], env);
  if (!existsSync(REPORT)) throw new Error('vitest ended without a report');
  const counted = tally(JSON.parse(readFileSync(REPORT, 'utf8')) as Report);
  if (code === 0 || counted.failed > 0) return counted;
  console.error('blklab: vitest reports an error outside of any test (see above); it counts as one failure.');
  return { ...counted, failed: 1 };
}

/** Builds and runs the tests; `filters` are vitest's, to run a part. Returns 0 when at least one test passed and none failed. */
export async function test(filters: readonly string[]): Promise<number> {
  let counted: Tally = { passed: 0, failed: 1, skipped: 0 };
  try {
    const chromium = await ensureChromium();
    if ((await build()) !== 0) throw new Error('the build failed');
    counted = await runVitest(filters, chromium);
  } catch (error) {
    console.error(`blklab: ${error instanceof Error ? error.message : String(error)}`);
  }
  console.log(tallyLine(counted));
  return counted.failed > 0 || counted.passed === 0 ? 1 : 0;
}
