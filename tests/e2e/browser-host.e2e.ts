/** What only the browser host has: who may connect, and tabs that share a project. */
import { request } from 'node:http';
import { afterAll, beforeAll, expect, test } from 'vitest';
import WebSocket from 'ws';
import { createExperiment } from './actions.ts';
import { openFace, type Face } from './faces.ts';
import { ui } from './selectors.ts';

let face: Face;
let origin: string;
let token: string;

beforeAll(async () => {
  face = await openFace('browser host');
  const url = new URL(face.url);
  origin = url.origin;
  token = new URLSearchParams(url.hash.slice(1)).get('t') ?? '';
});
afterAll(() => face.close());

/** `open` or `refused`. */
function connect(path: string, headers: Readonly<Record<string, string>>): Promise<string> {
  const socket = new WebSocket(`${origin.replace('http', 'ws')}${path}`, { headers });
  return new Promise((resolve) => {
    socket.once('open', () => {
      socket.terminate();
      resolve('open');
    });
    socket.once('error', () => resolve('refused'));
  });
}

test('a socket needs the token and our own origin', async () => {
  expect(await connect(`/rpc?t=${token}`, { origin })).toBe('open');
  expect(await connect('/rpc?t=guess', { origin })).toBe('refused');
  expect(await connect('/rpc', { origin })).toBe('refused');
  expect(await connect(`/rpc?t=${token}`, { origin: 'http://example.org' })).toBe('refused');
  expect(await connect(`/rpc?t=${token}`, {})).toBe('refused');
});

test('a request under another host name is refused', async () => {
  const status = (host: string): Promise<number | undefined> =>
    new Promise((resolve, reject) => {
      request(origin, { headers: { host } }, (response) => {
        response.resume();
        resolve(response.statusCode);
      })
        .on('error', reject)
        .end();
    });
  expect(await status(new URL(origin).host)).toBe(200);
  expect(await status('rebound.example.org')).toBe(403);
});

test('a page without the token says that it got no answer', async () => {
  const page = await face.page.context().newPage();
  await page.goto(`${origin}/#t=guess`);
  await page.getByRole('alert').waitFor();
  expect(await page.getByRole('alert').textContent()).toContain('does not answer');
  await page.close();
});

test('the page keeps its own content policy: foreign scripts and inline code do not run', async () => {
  const ran = await face.page.evaluate(() => {
    const script = document.createElement('script');
    script.textContent = 'window.intruder = true';
    document.body.append(script);
    return 'intruder' in window;
  });
  expect(ran).toBe(false);
});

test('a second tab sees the same project, and what the first one makes in it', async () => {
  const other = await face.page.context().newPage();
  await other.goto(face.url);
  await other.waitForSelector('body[data-ready="true"]');
  await createExperiment(face.page);
  await expect.poll(() => ui(other).experiments.count()).toBe(1);
  await other.close();
});
