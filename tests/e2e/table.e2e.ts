/** The table of a run of 204 800 I/Os, and that the same definition gives the same trace in every face. */
import { execFileSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { countOf, createExperiment, openTable, runToEnd, writeDefinition } from './actions.ts';
import { FACES, openFace, ROOT, temporaryFolder, type Face } from './faces.ts';
import { MANY_IOS, manyIos } from './jobs.ts';
import { ui } from './selectors.ts';

let expectedHash: string;

beforeAll(() => {
  const file = join(temporaryFolder(), 'many.json');
  writeFileSync(file, JSON.stringify(manyIos));
  const cli = [join(ROOT, 'out/main/cli.js'), 'run', file, '--json', '--quiet'];
  const summary = JSON.parse(execFileSync(process.execPath, cli, { encoding: 'utf8' })) as {
    run: { traceHash: string };
  };
  expectedHash = summary.run.traceHash;
});

describe.each(FACES)('a run of 204 800 I/Os in the %s', (name) => {
  let face: Face;

  beforeAll(async () => {
    face = await openFace(name);
    await createExperiment(face.page);
    await writeDefinition(face.page, manyIos);
  });
  afterAll(() => face.close());

  const cellsOf = (rowIndex: number): Promise<string[]> =>
    face.page.locator(`[role="row"][aria-rowindex="${rowIndex}"] [role="gridcell"]`).allTextContents();

  test('has the trace hash of the command line', async () => {
    expect(await runToEnd(face.page)).toBe(expectedHash);
  });

  test('shows its number of rows and only the rows in sight', async () => {
    await openTable(face.page);
    expect(countOf(await ui(face.page).rowCount.textContent())).toBe(MANY_IOS);
    expect(await face.page.locator('[data-test="table"] .row').count()).toBeLessThan(80);
  });

  test('jumps to the last row with End, and its number is right', async () => {
    await ui(face.page).table.focus();
    await face.page.keyboard.press('End');
    await expect.poll(async () => (await cellsOf(MANY_IOS))[0]).toMatch(/\d/);
    await face.page.keyboard.press('Home');
    await expect.poll(async () => (await cellsOf(1))[0]).toMatch(/\d/);
  });

  test('scrolled to its end by the scrollbar shows the last row', async () => {
    await ui(face.page).table.evaluate((element) => {
      element.scrollTop = element.scrollHeight;
    });
    await expect.poll(async () => (await cellsOf(MANY_IOS))[0]).toMatch(/\d/);
  });

  test('sorts by total, slowest first, in the order of the database', async () => {
    await face.page.getByRole('columnheader', { name: 'total' }).getByRole('button').click();
    await face.page.locator('[role="columnheader"][aria-sort="descending"]').waitFor();
    await ui(face.page).table.evaluate((element) => {
      element.scrollTop = 0;
    });
    const totals = async (): Promise<number[]> => {
      const titles = await face.page.locator('.row [role="gridcell"]:nth-child(7) span[title]').all();
      return Promise.all(titles.slice(0, 10).map(async (cell) => countOf(await cell.getAttribute('title'))));
    };
    await expect
      .poll(totals)
      .toSatisfy((ns: number[]) => ns.length === 10 && ns.every((x, i) => i === 0 || x <= ns[i - 1]));
  });

  test('marks a wrong filter while it is typed and keeps the rows, and shows how many match a right one', async () => {
    await ui(face.page).filter.fill('total_ns >');
    await expect.poll(() => ui(face.page).filterState.textContent()).toContain('✗');
    expect(countOf(await ui(face.page).rowCount.textContent())).toBe(MANY_IOS);
    await ui(face.page).filter.fill('total_ns > 200000');
    await face.page.keyboard.press('Enter');
    await expect.poll(() => ui(face.page).rowCount.textContent()).toMatch(/ of /);
    const shown = countOf((await ui(face.page).rowCount.textContent())?.split(' of ')[0] ?? null);
    expect(shown).toBeGreaterThan(0);
    expect(shown).toBeLessThan(MANY_IOS);
  });

  test('is exported as CSV with as many lines as rows', async () => {
    const folder = temporaryFolder();
    await face.answerPath(folder);
    await face.page.locator('[data-test="export"]').click();
    await ui(face.page).notice.waitFor();
    expect(await ui(face.page).notice.textContent()).toContain('io.csv');
    const lines = readFileSync(join(folder, 'io.csv'), 'utf8').trimEnd().split('\n');
    expect(lines.length - 1).toBe(MANY_IOS);
    expect(face.complaints).toEqual([]);
  });
});
