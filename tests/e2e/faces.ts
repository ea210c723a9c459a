/**
 * Opens the built workbench behind either face: the browser host in a Chromium, or the desktop app (the stand-in of `electron-double/`, the real binary
 * with BLKLAB_REAL_ELECTRON=1). A spec sees a page and does not know which it is.
 */
import { spawn, type ChildProcess } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { _electron, chromium, type ElectronApplication, type Page } from 'playwright-core';
import { ui } from './selectors.ts';

export const ROOT = join(import.meta.dirname, '../..');
const CHROMIUM = process.env['CHROMIUM'] ?? '/usr/bin/chromium';
const IS_REAL = process.env['BLKLAB_REAL_ELECTRON'] === '1';

/** A step that takes longer fails with its own name, before the whole test does. */
const STEP_TIMEOUT_MS = 20_000;

export type FaceName = 'browser host' | 'desktop';
export const FACES: readonly FaceName[] = ['browser host', 'desktop'];

export interface OpenOptions {
  readonly project?: string;
  /** Settings and unsaved projects; a fresh folder unless a spec opens the workbench twice. */
  readonly userFolder?: string;
}

export interface Face {
  readonly name: FaceName;
  readonly page: Page;
  /** The address of the browser host, with its token. */
  readonly url: string;
  /** The desktop app. */
  readonly app: ElectronApplication | undefined;
  /** What the console and the page complained about. */
  readonly complaints: string[];
  /** Gives the next question for a path this answer: in the native dialog, or in ours. Call before what asks. */
  answerPath(path: string): Promise<void>;
  close(): Promise<void>;
}

/** A folder that goes when the process ends. */
export function temporaryFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'blklab-e2e-'));
  process.once('exit', () => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

export function openFace(name: FaceName, options: OpenOptions = {}): Promise<Face> {
  return name === 'desktop' ? openDesktop(options) : openBrowser(options);
}

function listenTo(page: Page): string[] {
  const complaints: string[] = [];
  page.on('console', (message) => {
    if (message.type() === 'error' || message.type() === 'warning') complaints.push(message.text());
  });
  page.on('pageerror', (error) => complaints.push(error.message));
  return complaints;
}

async function openBrowser({ project, userFolder = temporaryFolder() }: OpenOptions): Promise<Face> {
  const { host, url } = await startHost(project, userFolder);
  const browser = await chromium.launch({
    executablePath: CHROMIUM,
    args: ['--headless', '--no-sandbox', '--disable-gpu', '--disable-background-networking'],
  });
  const context = await browser.newContext({ viewport: { width: 1440, height: 900 } });
  const page = await context.newPage();
  page.setDefaultTimeout(STEP_TIMEOUT_MS);
  const complaints = listenTo(page);
  await page.goto(url);
  await page.waitForSelector('body[data-ready="true"]');
  return {
    name: 'browser host',
    page,
    url,
    app: undefined,
    complaints,
    answerPath: (path) => {
      const field = ui(page).path;
      void field.waitFor().then(async () => {
        await field.fill(path);
        await ui(page).answer('path').click();
      });
      return Promise.resolve();
    },
    close: async () => {
      await browser.close();
      await endProcess(host);
    },
  };
}

function startHost(project: string | undefined, userFolder: string): Promise<{ host: ChildProcess; url: string }> {
  const args = [join(ROOT, 'out/main/serve.js'), ...(project === undefined ? [] : [project])];
  mkdirSync(userFolder, { recursive: true });
  const host = spawn(process.execPath, args, {
    env: { ...process.env, XDG_CONFIG_HOME: userFolder },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  return new Promise((resolve, reject) => {
    let said = '';
    const hear = (text: Buffer): void => {
      said += String(text);
      const url = /http:\/\/\S+/.exec(said)?.[0];
      if (url !== undefined) resolve({ host, url });
    };
    host.stdout.on('data', hear);
    host.stderr.on('data', hear);
    host.once('exit', (code) => reject(new Error(`the host ended with ${code}: ${said}`)));
  });
}

async function endProcess(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null) return;
  const ended = new Promise((resolve) => child.once('exit', resolve));
  child.kill('SIGTERM');
  await ended;
}

async function openDesktop({ project, userFolder = temporaryFolder() }: OpenOptions): Promise<Face> {
  const app = await _electron.launch({
    args: [ROOT, ...(project === undefined ? [] : [project])],
    cwd: ROOT,
    env: { ...(process.env as Record<string, string>), BLKLAB_TEST_USER_DATA: userFolder },
    ...(IS_REAL ? {} : { executablePath: join(import.meta.dirname, 'electron-double/electron') }),
  });
  const page = await app.firstWindow();
  page.setDefaultTimeout(STEP_TIMEOUT_MS);
  const complaints = listenTo(page);
  await page.waitForSelector('body[data-ready="true"]');
  await page.setViewportSize({ width: 1440, height: 900 });
  return {
    name: 'desktop',
    page,
    url: page.url(),
    app,
    complaints,
    answerPath: (path) =>
      app.evaluate(({ dialog }, answer) => {
        dialog.showOpenDialog = () => Promise.resolve({ canceled: false, filePaths: [answer] });
        dialog.showSaveDialog = () => Promise.resolve({ canceled: false, filePath: answer });
      }, path),
    close: () => app.close(),
  };
}
