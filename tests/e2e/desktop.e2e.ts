/** What only the desktop has: the bridge, refused navigation, the menu, and the question before the window closes. */
import { join } from 'node:path';
import { existsSync } from 'node:fs';
import { afterEach, expect, test } from 'vitest';
import { createExperiment, writeJobFile } from './actions.ts';
import { openFace, temporaryFolder, type Face } from './faces.ts';
import { ENDLESS_JOB } from './jobs.ts';
import { ui } from './selectors.ts';

let face: Face;
afterEach(() => face.close());

/** The window's close button. */
const pressClose = (): Promise<void> | undefined =>
  face.app?.evaluate(({ BrowserWindow }) => BrowserWindow.getAllWindows()[0]?.close());

const windows = (): Promise<number> =>
  face.app?.evaluate(({ BrowserWindow }) => BrowserWindow.getAllWindows().length) ?? Promise.resolve(-1);

test('the page sees the three functions of the bridge and nothing else of the desktop', async () => {
  face = await openFace('desktop');
  const seen = await face.page.evaluate(() => ({
    bridge: Object.keys((window as unknown as { blklab: object }).blklab).sort(),
    others: ['require', 'process', 'ipcRenderer', 'electron', 'module', '__dirname'].filter((name) => name in window),
  }));
  expect(seen).toEqual({ bridge: ['host', 'onMessage', 'send'], others: [] });
  const sent = await face.page.evaluate(() => {
    try {
      (window as unknown as { blklab: { send(message: unknown): void } }).blklab.send(() => 1);
      return 'sent';
    } catch {
      return 'refused';
    }
  });
  expect(sent, 'what cannot be cloned does not cross').toBe('refused');
});

test('navigation and new windows are refused', async () => {
  face = await openFace('desktop');
  const before = face.page.url();
  await face.page.evaluate(() => {
    location.href = 'http://127.0.0.1:9/elsewhere';
  });
  await face.page.evaluate(() => void window.open('http://127.0.0.1:9/elsewhere'));
  await face.page.waitForTimeout(500);
  expect(face.page.url()).toBe(before);
  expect(await ui(face.page).start.isVisible()).toBe(true);
  expect(await windows()).toBe(1);
});

test('a command of the menu reaches the page', async () => {
  face = await openFace('desktop');
  await face.app?.evaluate(({ Menu }) => {
    const items = Menu.getApplicationMenu()?.items.flatMap(
      (menu) => (menu.submenu ?? []) as unknown as Electron.MenuItem[],
    );
    items?.find(({ id }) => id === 'help.keys')?.click();
  });
  await ui(face.page).dialog.waitFor();
  expect(await ui(face.page).dialog.textContent()).toContain('Shift+F5');
});

test('closing without changes asks nothing', async () => {
  face = await openFace('desktop');
  const gone = face.page.waitForEvent('close');
  await pressClose();
  await gone;
});

test('closing with unsaved changes asks; Cancel keeps everything, Save saves and closes', async () => {
  face = await openFace('desktop');
  await createExperiment(face.page);
  await expect.poll(() => ui(face.page).projectName.textContent()).toContain('●');
  await pressClose();
  await ui(face.page).dialog.waitFor();
  await ui(face.page).answer('cancel').click();
  await expect.poll(() => ui(face.page).dialog.isVisible()).toBe(false);
  expect(await ui(face.page).experiments.count()).toBe(1);

  const path = join(temporaryFolder(), 'kept.blklab');
  await face.answerPath(path);
  await pressClose();
  const gone = face.page.waitForEvent('close');
  await ui(face.page).answer('save').click();
  await gone;
  expect(existsSync(path)).toBe(true);
});

test('closing during a run says so, and can keep it running', async () => {
  face = await openFace('desktop');
  await createExperiment(face.page);
  await writeJobFile(face.page, ENDLESS_JOB);
  await ui(face.page).run.click();
  await ui(face.page).progress.waitFor();
  await pressClose();
  await ui(face.page).dialog.waitFor();
  expect(await ui(face.page).dialog.textContent()).toContain('A run is in progress');
  await ui(face.page).answer('cancel').click();
  await expect.poll(() => ui(face.page).stop.isEnabled()).toBe(true);
  await ui(face.page).stop.click();
  await ui(face.page).traceHash.waitFor();
});
