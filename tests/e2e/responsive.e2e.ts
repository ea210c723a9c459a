/** While a run stores its rows as fast as it can, the rest of the workbench answers: experiments are created, drafts kept, other runs' tables read. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { createExperiment, openTable, runToEnd, writeJobFile } from './actions.ts';
import { FACES, openFace, type Face } from './faces.ts';
import { ENDLESS_JOB, SHORT_JOB } from './jobs.ts';
import { ui } from './selectors.ts';

/** Far above what an answer takes, far below what a starved store worker would. */
const ANSWER_MS = 3000;

/** An edit goes through several calls of the writer, each of which waits for the batch before it. */
const DRAFT_MS = 10_000;

describe.each(FACES)('during a run in the %s', (name) => {
  let face: Face;

  beforeAll(async () => {
    face = await openFace(name);
    await createExperiment(face.page);
    await writeJobFile(face.page, SHORT_JOB);
    await runToEnd(face.page);
    await ui(face.page).screen('editor').click();
    await writeJobFile(face.page, ENDLESS_JOB);
    await ui(face.page).run.click();
    const manyIos = ui(face.page).progress.filter({ hasText: /\d M I\/Os/ });
    await manyIos.waitFor({ timeout: 40_000 });
  });
  afterAll(() => face.close());

  test('the rows that are stored are counted as the run goes on', async () => {
    const text = async (): Promise<string> => (await ui(face.page).progress.textContent()) ?? '';
    const stored = async (): Promise<string> => /([\d.]+ \w) rows stored/.exec(await text())?.[1] ?? '';
    const before = await stored();
    await expect.poll(stored, { timeout: ANSWER_MS }).not.toBe(before);
  });

  test('the table of an earlier run opens', async () => {
    await face.page.locator('[data-test="run"] button').last().click();
    await openTable(face.page);
    expect(await face.page.locator('[data-test="table"] .row').count()).toBeGreaterThan(10);
  });

  test('an experiment is created and edited', async () => {
    await face.page.locator('[data-test="new-experiment"]').click();
    await expect.poll(() => ui(face.page).experiments.count(), { timeout: ANSWER_MS }).toBe(2);
    await ui(face.page).screen('editor').click();
    await face.page.locator('[data-test="experiment-name"]').fill('During the run');
    await expect
      .poll(() => ui(face.page).experiments.last().textContent(), { timeout: DRAFT_MS })
      .toContain('During the run');
  });

  test('the run is still under way, and Stop ends it', async () => {
    await face.page.keyboard.press('Shift+F5');
    await expect
      .poll(() => ui(face.page).runs.allTextContents(), { timeout: 10_000 })
      .toContainEqual(expect.stringContaining('stopped'));
    expect(face.complaints).toEqual([]);
  });
});
