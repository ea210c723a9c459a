/** Keyslots over time: the part of the results that only encrypted runs have, in both faces. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { countOf, createExperiment, expectNoProblems, runToEnd, writeDefinition, writeJobFile } from './actions.ts';
import { FACES, openFace, type Face } from './faces.ts';
import { encrypted, SHORT_JOB } from './jobs.ts';
import { ui } from './selectors.ts';

const SLOTS = 4;
const KEYS = 6;

describe.each(FACES)('keyslots in the %s', (name) => {
  let face: Face;

  beforeAll(async () => {
    face = await openFace(name);
    await createExperiment(face.page);
  });
  afterAll(() => face.close());

  test('are not offered for a run that encrypts nothing', async () => {
    await writeJobFile(face.page, SHORT_JOB);
    await runToEnd(face.page);
    expect(await ui(face.page).part('overview').isVisible()).toBe(true);
    expect(await ui(face.page).part('keyslots').count()).toBe(0);
  });

  test('are shown with their numbers for one that does', async () => {
    const { page } = face;
    await ui(page).screen('editor').click();
    await writeDefinition(page, encrypted(SLOTS, KEYS));
    await runToEnd(page);
    await ui(page).part('keyslots').click();
    await ui(page).gantt.waitFor();
    expect(await ui(page).chart('keyslots').locator('.slots li').allTextContents()).toHaveLength(SLOTS);
    expect(countOf(await ui(page).card('programs').locator('.value').textContent())).toBeGreaterThan(KEYS);
    expect(await ui(page).card('mean-wait').textContent()).toMatch(/\d (us|ms)/);
    expect(await ui(page).chart('keyslots').locator('.legend li').count(), 'three states and the keys').toBe(3 + KEYS);
  });

  test('say as a table who held which slot, and never two keys at a time', async () => {
    const chart = ui(face.page).chart('keyslots');
    for (let i = 0; i < 6; i++) await face.page.keyboard.press('w');
    await chart.getByRole('button').click();
    const row = chart.locator('tbody tr');
    await expect.poll(() => row.count()).toBeGreaterThan(SLOTS);
    const cells = await row.evaluateAll((rows) => rows.map((one) => [...one.children].map((cell) => cell.textContent)));
    const spans = cells.map(([slot, , , from, to]) => ({ slot, from: countOf(from), to: countOf(to) }));
    for (const [i, { slot, from }] of spans.entries())
      if (i > 0 && spans[i - 1].slot === slot) expect(from).toBeGreaterThanOrEqual(spans[i - 1].to);
    expect(cells.map(([, , state]) => state)).toContain('programming');
    await chart.getByRole('button').click();
  });

  test('are read at the pointer, and lead to the requests of a span', async () => {
    const { page } = face;
    await ui(page).gantt.hover({ position: { x: 300, y: 10 } });
    expect(await ui(page).keyslotRead.textContent()).toMatch(/^slot 0 · key .+ ns/);
    await ui(page).gantt.click({ position: { x: 300, y: 10 } });
    await page.locator('[data-test="keyslots-of-slot"]').click();
    await expect.poll(() => ui(page).filter.inputValue()).toBe('keyslot = 0');
    await expect.poll(() => ui(page).rowCount.textContent()).toMatch(/^\d.* of \d/);
    await ui(page).part('keyslots').click();
  });

  test('are zoomed and moved by keys, by dragging and by the wheel', async () => {
    const { page } = face;
    const range = (): Promise<string | null> => ui(page).keyslotRange.textContent();
    await page.keyboard.press('0');
    const whole = await range();
    expect(whole).toMatch(/^0 ns/);
    await page.keyboard.press('w');
    await expect.poll(range).not.toBe(whole);
    const zoomed = await range();
    await page.keyboard.press('d');
    await expect.poll(range).not.toBe(zoomed);
    await page.locator('[data-test="keyslots-whole"]').click();
    await expect.poll(range).toBe(whole);
    await ui(page).gantt.hover({ position: { x: 200, y: 20 } });
    await page.mouse.down();
    await ui(page).gantt.hover({ position: { x: 400, y: 20 } });
    await page.mouse.up();
    await expect.poll(range).not.toBe(whole);
    const dragged = await range();
    await page.mouse.wheel(0, -100);
    await expect.poll(range).not.toBe(dragged);
  });

  test('are named in the inspector of a request, with key, DUN and data unit, and doors to their like', async () => {
    const { page } = face;
    await ui(page).part('requests').click();
    await page.locator('[data-test="filter-clear"]').click();
    await page.locator('[data-test="table"] [role="row"][aria-rowindex="3"]').click();
    await ui(page).table.focus();
    await page.keyboard.press('Space');
    await ui(page).inspector.waitFor();
    const fact = (column: string) => ui(page).inspector.locator(`[data-test="crypto-${column}"]`);
    expect(await fact('dun').textContent()).toMatch(/0x[0-9A-F]{6,}/);
    expect(await fact('data_unit_size').textContent()).toContain('4 KiB');
    expect(countOf(await fact('keyslot').textContent())).toBeLessThan(SLOTS);
    await ui(page).inspector.locator('[data-test="same-key_id"]').click();
    await expect.poll(() => ui(page).filter.inputValue()).toMatch(/^key_id = \d+$/);
  });

  test('keep their place in the definition when other fields are edited', async () => {
    const { page } = face;
    await ui(page).screen('editor').click();
    await ui(page).mode('form').click();
    await ui(page).field('/device/queueDepth').fill('32');
    await ui(page).field('/device/queueDepth').blur();
    await expectNoProblems(page);
    await ui(page).mode('json').click();
    const { encryption, queue, device } = encrypted(SLOTS, KEYS);
    expect(JSON.parse(await ui(page).json.inputValue())).toMatchObject({
      encryption,
      queue,
      device: { ...device, queueDepth: 32 },
    });
    expect(face.complaints).toEqual([]);
  });
});
