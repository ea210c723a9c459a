// Starts Chromium, then the app's main as Electron would: the first argument that is no option names a folder with a package.json, or a file.
import { spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { chromium } from 'playwright-core';
import { app, attach } from './electron.mjs';

const CHROMIUM_FLAGS = [
  '--headless',
  '--no-sandbox',
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
  '--allow-file-access-from-files',
  '--no-startup-window',
  '--remote-debugging-port=0',
];

const entry = resolve(process.argv.slice(2).find((argument) => !argument.startsWith('-')) ?? '.');
const folder = statSync(entry).isDirectory() ? entry : undefined;
const manifest = folder === undefined ? {} : JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8'));
const profile = mkdtempSync(join(tmpdir(), 'electron-double-'));

const chrome = spawn(process.env.CHROMIUM ?? '/usr/bin/chromium', [...CHROMIUM_FLAGS, `--user-data-dir=${profile}`], {
  stdio: ['ignore', 'ignore', 'pipe'],
});
process.on('exit', () => {
  chrome.kill('SIGKILL');
  rmSync(profile, { recursive: true, force: true, maxRetries: 3 });
});
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.on(signal, () => process.exit(0));

const endpoint = await new Promise((found, failed) => {
  chrome.stderr.on('data', (text) => {
    const match = /DevTools listening on (ws:\S+)/.exec(String(text));
    if (match !== null) found(match[1]);
  });
  chrome.on('exit', (code) => failed(new Error(`chromium ended with ${code}`)));
});
const browser = await chromium.connectOverCDP(endpoint);
attach({
  context: browser.contexts()[0],
  // a test that starts the app twice gives both starts the same folder
  userData: process.env.BLKLAB_TEST_USER_DATA ?? profile,
  appPath: folder ?? process.cwd(),
  name: manifest.name ?? 'app',
  version: manifest.version ?? '0.0.0',
});
console.error(`DevTools listening on ${endpoint}`); // what Playwright waits for
await import(pathToFileURL(folder === undefined ? entry : join(folder, manifest.main)).href);
app._ready();
