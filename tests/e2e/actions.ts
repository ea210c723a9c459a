/** What a user does, in steps that specs share. */
import { expect } from 'vitest';
import type { Page } from 'playwright-core';
import type { Face } from './faces.ts';
import { ui } from './selectors.ts';

const RUN_TIMEOUT_MS = 90_000;

/** A new experiment from the empty project or from the explorer. */
export async function createExperiment(page: Page): Promise<void> {
  const { start, create, fio } = ui(page);
  if (await start.isVisible()) await create.click();
  else await page.locator('[data-test="new-experiment"]').click();
  await fio.waitFor();
}

/** Replaces the fio text and leaves the field. */
export async function writeJobFile(page: Page, text: string): Promise<void> {
  const { fio } = ui(page);
  await fio.fill(text);
  await fio.blur();
}

/** Replaces the whole definition. */
export async function writeDefinition(page: Page, definition: unknown): Promise<void> {
  await ui(page).mode('json').click();
  await ui(page).json.fill(JSON.stringify(definition, null, 2));
  await ui(page).json.blur();
  await expectNoProblems(page);
}

export async function expectNoProblems(page: Page): Promise<void> {
  await page.locator('[data-test="problems"] .none').waitFor();
}

/** Presses Run and waits for the results. Returns the trace hash. */
export async function runToEnd(page: Page): Promise<string> {
  await ui(page).run.click();
  await ui(page).traceHash.waitFor({ timeout: RUN_TIMEOUT_MS });
  return (await ui(page).traceHash.textContent()) ?? '';
}

/** Opens the table of the results. */
export async function openTable(page: Page): Promise<void> {
  await ui(page).part('requests').click();
  await page.locator('[data-test="table"] [role="row"][aria-rowindex="1"]').waitFor();
}

export async function saveAs({ page, answerPath }: Face, path: string): Promise<void> {
  await answerPath(path);
  await page.locator('[data-test="project-saveAs"]').click();
  const name = path.replace(/^.*\//, '').replace(/\.blklab$/, '');
  await expect.poll(() => ui(page).projectName.textContent()).toBe(name);
}

export const countOf = (text: string | null): number => Number((text ?? '').replace(/\D/g, ''));
