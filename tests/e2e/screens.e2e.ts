/** Pictures of every screen in both themes and at both sizes, for the eye: `out/screens/`. What can be asserted is asserted elsewhere. */
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { createExperiment, expectNoProblems, openTable, runToEnd, writeDefinition, writeJobFile } from './actions.ts';
import { openFace, ROOT, type Face } from './faces.ts';
import { encrypted } from './jobs.ts';
import { ui } from './selectors.ts';

const FOLDER = join(ROOT, 'out/screens');
const SIZES = [
  { width: 1440, height: 900 },
  { width: 1024, height: 680 },
];
const JOB = `# An app reads at random while a writer overwrites its log and syncs.
[global]
ioengine=libaio
direct=1
bs=4k
size=256m
runtime=500ms
time_based=1

[app]
rw=randread
iodepth=16

[writer]
rw=write
offset=256m
fsync=8
`;

let face: Face;

beforeAll(async () => {
  mkdirSync(FOLDER, { recursive: true });
  face = await openFace('browser host');
});
afterAll(() => face.close());

/** One picture per theme and size; nothing may stick out of the window. */
async function picture(name: string): Promise<void> {
  const { page } = face;
  for (const theme of ['light', 'dark']) {
    await ui(page).theme.selectOption(theme);
    for (const size of SIZES) {
      await page.setViewportSize(size);
      await page.waitForTimeout(250);
      await page.screenshot({ path: join(FOLDER, `${name}-${theme}-${size.width}.png`) });
      const width = await page.evaluate(() => document.documentElement.scrollWidth);
      expect(width, `${name} at ${size.width}`).toBeLessThanOrEqual(size.width);
    }
  }
  await page.setViewportSize(SIZES[0]);
}

describe('screens', () => {
  test('an empty project', async () => {
    await picture('1-empty');
  });

  test('the editor, without and with problems', async () => {
    await createExperiment(face.page);
    await writeJobFile(face.page, JOB);
    await picture('2-editor');
    await writeJobFile(face.page, `${JOB}iodpeth=8\n`);
    await ui(face.page).field('/device/queueDepth').fill('-1');
    await ui(face.page).field('/device/queueDepth').blur();
    await face.page.locator('[data-test="problem-note"]').first().waitFor();
    await picture('3-problems');
    await ui(face.page).field('/device/queueDepth').fill('');
  });

  test('the editor of an experiment that encrypts', async () => {
    const { page } = face;
    await writeJobFile(page, JOB);
    await page.locator('[data-test="part-of-crypto"]').check();
    await page.locator('[data-test="part-of-encryption"]').check();
    await page.locator('[data-test="section-encryption"]').scrollIntoViewIfNeeded();
    await picture('2-editor-encryption');
    await page.locator('[data-test="part-of-encryption"]').uncheck();
    await page.locator('[data-test="part-of-crypto"]').uncheck();
    await expectNoProblems(page);
  });

  test('a run under way', async () => {
    await writeJobFile(face.page, JOB.replace('500ms', '60s'));
    await ui(face.page).run.click();
    await face.page.waitForTimeout(4000);
    await picture('4-running');
    await ui(face.page).stop.click();
    await ui(face.page).traceHash.waitFor();
  });

  test('results, the table and the inspector', async () => {
    await ui(face.page).screen('editor').click();
    await writeJobFile(face.page, JOB);
    await runToEnd(face.page);
    await ui(face.page).chart('histogram').waitFor();
    await picture('5-results');
    await openTable(face.page);
    await ui(face.page).table.focus();
    await face.page.keyboard.press('ArrowDown');
    await face.page.keyboard.press('Space');
    await ui(face.page).inspector.waitFor();
    await picture('6-table');
  });

  test('keyslots with few keys and with many, and an encrypted request', async () => {
    const { page } = face;
    for (const [name, keyslots, keys] of [
      ['7-keyslots', 4, 6],
      ['8-keyslots-many', 32, 64],
    ] as const) {
      await ui(page).screen('editor').click();
      await writeDefinition(page, encrypted(keyslots, keys));
      await runToEnd(page);
      await ui(page).part('keyslots').click();
      await ui(page).gantt.waitFor();
      await picture(name);
      for (let i = 0; i < 4; i++) await page.keyboard.press('w');
      await ui(page).gantt.click({ position: { x: 300, y: 10 } });
      await picture(`${name}-zoomed`);
    }
    await page.locator('[data-test="keyslots-of-slot"]').click();
    await page.locator('[data-test="table"] [role="row"][aria-rowindex="3"]').click();
    await ui(page).table.focus();
    await page.keyboard.press('Space');
    await ui(page).inspector.waitFor();
    await picture('9-encrypted-request');
    expect(face.complaints).toEqual([]);
  });
});
