/** The way of an experiment through the window, in both faces: create, refuse, run, cancel, inspect, save, reopen. */
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { countOf, createExperiment, expectNoProblems, openTable, runToEnd, saveAs, writeJobFile } from './actions.ts';
import { FACES, openFace, temporaryFolder, type Face } from './faces.ts';
import { ENDLESS_JOB, SHORT_JOB } from './jobs.ts';
import { ui } from './selectors.ts';

describe.each(FACES)('an experiment in the %s', (name) => {
  const folder = temporaryFolder();
  const project = join(folder, 'first.blklab');
  let face: Face;
  let hash: string;

  beforeAll(async () => {
    face = await openFace(name);
  });
  afterAll(() => face.close());

  test('is created from the empty project, with a default definition that can run', async () => {
    const { page } = face;
    await expect.poll(() => ui(page).start.isVisible()).toBe(true);
    await createExperiment(page);
    await expectNoProblems(page);
    expect(await ui(page).experiments.count()).toBe(1);
    await expect.poll(() => ui(page).projectName.textContent()).toContain('●');
  });

  test('with errors is not run: they are listed, and the focus goes to the first', async () => {
    const { page } = face;
    await ui(page).field('/device/queueDepth').fill('-1');
    expect(await page.locator('[data-test="problem-note"]').count(), 'nothing is said while typing').toBe(0);
    await page.keyboard.press('F5');
    const note = page.locator('[data-test="problem-note"]').first();
    await note.waitFor();
    expect(await note.textContent()).toContain('1 to 256');
    expect(await page.evaluate(() => document.activeElement?.getAttribute('data-path'))).toBe('/device/queueDepth');
    expect(await ui(page).runs.count()).toBe(0);
    await page.keyboard.press('Control+A');
    await page.keyboard.press('Delete');
  });

  test('marks a misspelt fio option on its line, with what was meant', async () => {
    const { page } = face;
    await writeJobFile(page, `${SHORT_JOB}iodpeth=8\n`);
    const list = page.locator('[data-test="fio-problems"]');
    await list.waitFor();
    const line = SHORT_JOB.split('\n').length;
    expect(await list.textContent()).toMatch(new RegExp(`line ${line}.*iodpeth.*iodepth`, 's'));
    expect(await page.locator('.gutter .error').textContent()).toContain(String(line));
    await writeJobFile(page, SHORT_JOB);
    await expectNoProblems(page);
  });

  test('runs with F5 and shows cards, charts and stages', async () => {
    const { page } = face;
    hash = await runToEnd(page);
    expect(hash).toMatch(/^[0-9a-f]{16}$/);
    for (const chart of ['histogram', 'over-time', 'stages']) await ui(page).chart(chart).waitFor();
    expect(await ui(page).card('p50').textContent()).toMatch(/\d (us|ms)/);
    expect(await ui(page).card('p99.9').textContent(), 'fewer than 10 000 I/Os').toContain('n too small');
    expect(await ui(page).runs.allTextContents()).toEqual([expect.stringContaining('done')]);
  });

  test('shows the numbers of a chart as a table', async () => {
    const { page } = face;
    const chart = ui(page).chart('histogram');
    await chart.getByRole('button').click();
    const counts = await chart.locator('tbody td:last-child').allTextContents();
    await openTable(page);
    const rows = countOf(await ui(page).rowCount.textContent());
    expect(counts.reduce((sum, text) => sum + countOf(text), 0)).toBe(rows);
  });

  test('opens the inspector of a row, whose stages add up to its total', async () => {
    const { page } = face;
    await ui(page).table.focus();
    await page.keyboard.press('ArrowDown');
    await page.keyboard.press('ArrowDown');
    await page.keyboard.press('Space');
    await ui(page).inspector.waitFor();
    const parts = await ui(page).inspector.locator('tbody .ns').allTextContents();
    const sum = countOf(await ui(page).stageSum.textContent());
    expect(parts.reduce((total, text) => total + countOf(text), 0)).toBe(sum);
    expect(await ui(page).inspector.textContent()).toContain('✓ equals the total');
    await page.keyboard.press('Escape');
    await expect.poll(() => ui(page).inspector.isVisible()).toBe(false);
  });

  test('from a stage of the bar goes to its I/Os, slowest first', async () => {
    const { page } = face;
    await ui(page).part('overview').click();
    await page.locator('[data-test="band-all"] button').last().click();
    await expect.poll(() => ui(page).filter.inputValue()).toBe('st_complete_cpu_ns > 0');
    await page.locator('[aria-sort="descending"]').waitFor();
    await page.locator('[data-test="filter-clear"]').click();
  });

  test('is stopped with Stop, keeps what it has, and the next run works', async () => {
    const { page } = face;
    await ui(page).screen('editor').click();
    await writeJobFile(page, ENDLESS_JOB);
    await ui(page).run.click();
    await expect.poll(() => ui(page).progress.textContent(), { timeout: 20_000 }).toMatch(/[1-9][\d.]* [kM]? ?I\/Os/);
    await page.keyboard.press('Shift+F5');
    await ui(page).traceHash.waitFor();
    expect(await ui(page).runs.first().textContent()).toContain('stopped');
    expect(countOf(await ui(page).card('iops').locator('.small').textContent())).toBeGreaterThan(0);
    await ui(page).screen('editor').click();
    await writeJobFile(page, SHORT_JOB);
    expect(await runToEnd(page), 'the same definition and seed').toBe(hash);
  });

  test('is saved under a name, and reopened with its runs', async () => {
    await saveAs(face, project);
    expect(face.complaints).toEqual([]);
    await face.close();
    face = await openFace(name, { project });
    const { page } = face;
    await expect.poll(() => ui(page).projectName.textContent()).toBe('first');
    expect(await ui(page).runs.allTextContents()).toEqual([
      expect.stringContaining('done'),
      expect.stringContaining('stopped'),
      expect.stringContaining('done'),
    ]);
    await page.locator('[data-test="run"] button').first().click();
    await expect.poll(() => ui(page).traceHash.textContent()).toBe(hash);
    expect(face.complaints).toEqual([]);
  });
});
