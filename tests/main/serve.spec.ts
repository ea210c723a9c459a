import { mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { connect as connectTcp } from 'node:net';
import { get } from 'node:http';
import { networkInterfaces } from 'node:os';
import { join } from 'node:path';
import { describe, expect, onTestFinished, test } from 'vitest';
import { WebSocket } from 'ws';
import type { Topic, Topics } from '../../core/contract/api.ts';
import { createClient, type RpcClient } from '../../core/contract/rpc.ts';
import { socketPipe } from '../../main/http/socket-pipe.ts';
import { startHost, type BrowserHost } from '../../main/serve.ts';
import { temporaryFolder } from './support/temporary.ts';

interface Started {
  readonly host: BrowserHost;
  readonly port: number;
  readonly token: string;
  readonly folder: string;
}

async function start(project?: string): Promise<Started> {
  const folder = temporaryFolder();
  const renderer = join(folder, 'renderer');
  mkdirSync(join(renderer, 'assets'), { recursive: true });
  writeFileSync(join(renderer, 'index.html'), '<!doctype html><title>blklab</title>');
  writeFileSync(join(renderer, 'assets/a.js'), 'export {};');
  writeFileSync(join(folder, 'secret.txt'), 'secret');
  symlinkSync(join(folder, 'secret.txt'), join(renderer, 'link.txt'));
  process.env['XDG_CONFIG_HOME'] = join(folder, 'config');
  const host = await startHost({ project, port: 0, renderer });
  onTestFinished(() => host.close());
  const url = new URL(host.url);
  return { host, port: Number(url.port), token: new URLSearchParams(url.hash.slice(1)).get('t') ?? '', folder };
}

interface Reply {
  readonly status: number;
  readonly headers: NodeJS.Dict<string | string[]>;
  readonly body: string;
}

function fetchFrom(port: number, path: string, headers: Record<string, string> = {}): Promise<Reply> {
  return new Promise((resolve, reject) => {
    get({ host: '127.0.0.1', port, path, headers }, (response) => {
      let body = '';
      response.setEncoding('utf8').on('data', (text: string) => (body += text));
      response.on('end', () => resolve({ status: response.statusCode ?? 0, headers: response.headers, body }));
    }).on('error', reject);
  });
}

/** Opens a socket as a page would. Resolves with the HTTP status when it is refused. */
function open(port: number, token: string, headers: Record<string, string>): Promise<WebSocket | number> {
  const socket = new WebSocket(`ws://127.0.0.1:${port}/rpc?t=${token}`, { headers });
  return new Promise((resolve, reject) => {
    socket.on('open', () => resolve(socket));
    socket.on('unexpected-response', (_request, response) => resolve(response.statusCode ?? 0));
    socket.on('error', reject);
  });
}

async function clientOf({ port, token }: Started): Promise<RpcClient> {
  const socket = await open(port, token, { origin: `http://127.0.0.1:${port}` });
  if (typeof socket === 'number') throw new Error(`refused with ${socket}`);
  return createClient(socketPipe(socket));
}

function once<T extends Topic>(client: RpcClient, topic: T): Promise<Topics[T]> {
  return new Promise((resolve) => {
    const leave = client.on(topic, (value) => {
      leave();
      resolve(value);
    });
  });
}

describe('the page', () => {
  test('is served with a policy that lets it load only itself', async () => {
    const { port } = await start();
    const page = await fetchFrom(port, '/');
    expect(page).toMatchObject({ status: 200, body: expect.stringContaining('blklab') as string });
    expect(page.headers['content-security-policy']).toContain("default-src 'self'");
    expect(page.headers['content-security-policy']).not.toContain('unsafe-eval');
    expect(page.headers['x-content-type-options']).toBe('nosniff');
    expect((await fetchFrom(port, '/assets/a.js')).headers['content-type']).toContain('text/javascript');
  });

  test.each([
    '/../secret.txt',
    '/%2e%2e/secret.txt',
    '/..%2fsecret.txt',
    '/..%5csecret.txt',
    '/link.txt',
    '/assets',
    '/%00',
    '/%zz',
    '//',
    '/nothing.js',
  ])('has no file %s', async (path) => {
    const { port } = await start();
    const reply = await fetchFrom(port, path);
    expect(reply.status).toBe(404);
    expect(reply.body).not.toContain('secret');
  });

  test('is not given to a request for another host (DNS rebinding)', async () => {
    const { port } = await start();
    expect((await fetchFrom(port, '/', { host: `evil.example:${port}` })).status).toBe(403);
    expect((await fetchFrom(port, '/', { host: `localhost:${port}` })).status).toBe(200);
  });

  test('is there on loopback only', async () => {
    const { port } = await start();
    const other = Object.values(networkInterfaces())
      .flat()
      .find((address) => address?.family === 'IPv4' && !address.internal)?.address;
    // A machine without a network has nowhere else to listen.
    if (other === undefined) return;
    const reached = await new Promise((resolve) => {
      const socket = connectTcp(port, other, () => resolve('connected')).on('error', () => resolve('refused'));
      socket.on('close', () => socket.destroy());
    });
    expect(reached).toBe('refused');
  });
});

describe('the socket', () => {
  test.each([
    ['without the token', (s: Started) => ['', { origin: `http://127.0.0.1:${s.port}` }] as const],
    ['with a wrong token', (s: Started) => [`${s.token.slice(1)}A`, { origin: `http://127.0.0.1:${s.port}` }] as const],
    ['from a page of another origin', (s: Started) => [s.token, { origin: 'https://evil.example' }] as const],
    ['without an origin', (s: Started) => [s.token, {}] as const],
    ['for another host', (s: Started) => [s.token, { host: 'evil.example', origin: 'http://evil.example' }] as const],
  ])('%s is refused', async (_how, make) => {
    const started = await start();
    const [token, headers] = make(started);
    expect(await open(started.port, token, headers)).toBe(403);
  });

  test('is closed when it does not speak our language, and the others stay', async () => {
    const started = await start();
    const client = await clientOf(started);
    const rude = await open(started.port, started.token, { origin: `http://127.0.0.1:${started.port}` });
    if (typeof rude === 'number') throw new Error('refused');
    const closed = new Promise((resolve) => rude.on('close', resolve));
    rude.send('not json');
    expect(await closed).toBe(1008);
    expect((await client.call('app/info')).face).toBe('browser');
  });
});

describe('through the host', () => {
  test('two tabs see one project', async () => {
    const started = await start();
    const one = await clientOf(started);
    const two = await clientOf(started);
    const heard = once(two, 'explorer/changed');
    const { definition } = await one.call('definition/default');
    const row = await one.call('experiment/create', { name: 'shared', definition });
    expect(await heard).toEqual({ experimentId: row.id });
    expect(await two.call('experiment/list')).toMatchObject([{ id: row.id, name: 'shared', dirty: true }]);
  });

  test('parameters of the wrong shape are refused before any service sees them', async () => {
    const client = await clientOf(await start());
    const call = client.call as (method: string, params: unknown) => Promise<unknown>;
    await expect(call('run/start', { experimentId: 'x' })).rejects.toMatchObject({ code: 'BAD_INPUT' });
    await expect(call('project/open', { path: 'relative' })).rejects.toMatchObject({ code: 'BAD_INPUT' });
    await expect(
      call('query/page', { runId: 1, table: 'run', where: '', sort: null, offset: 0, limit: 1 }),
    ).rejects.toMatchObject({ code: 'BAD_INPUT' });
    await expect(call('shutdown', {})).rejects.toMatchObject({ code: 'NO_METHOD' });
  });

  test('create, run, inspect, export, save, reopen', async () => {
    const started = await start();
    const client = await clientOf(started);
    const { definition } = await client.call('definition/default');
    const { id } = await client.call('experiment/create', { name: 'first', definition });
    const ended = once(client, 'run/ended');
    const { runId } = await client.call('run/start', { experimentId: id });
    expect(await ended).toMatchObject({ runId, status: 'done', message: null });
    const { row, summary } = await client.call('run/summary', { runId });
    expect(summary?.run.ios).toBe(row.ios);
    const page = await client.call('query/page', {
      runId,
      table: 'io',
      where: '',
      sort: { column: 'total_ns', descending: true },
      offset: 0,
      limit: 3,
    });
    expect(page.total).toBe(row.ios);
    const histogram = await client.call('query/histogram', { runId, where: '', bins: 50 });
    expect(histogram.counts).toBeInstanceOf(Float64Array);
    expect(histogram.counts.reduce((a, b) => a + b)).toBe(row.ios);
    const { files } = await client.call('export/csv', { runId, directory: join(started.folder, 'csv') });
    expect(files.find((file) => file.path.endsWith('/io.csv'))?.rows).toBe(row.ios);
    await expect(client.call('project/save')).rejects.toMatchObject({ code: 'NO_SUCH' });
    const path = join(started.folder, 'saved');
    expect(await client.call('project/saveAs', { path })).toMatchObject({
      path: `${path}.blklab`,
      name: 'saved',
      dirty: false,
    });
    expect(await client.call('project/new')).toMatchObject({ path: null, dirty: false });
    expect(await client.call('experiment/list')).toEqual([]);
    await client.call('project/open', { path: `${path}.blklab` });
    expect(await client.call('run/list', { experimentId: id })).toMatchObject([
      { id: runId, status: 'done', outdated: false },
    ]);
    expect(await client.call('project/recent')).toEqual([{ path: `${path}.blklab`, exists: true }]);
  });

  test('a definition with errors is not run, and every problem comes with its place', async () => {
    const client = await clientOf(await start());
    const definition = {
      format: 1,
      device: { kind: 'ufs' },
      workload: { fio: '[a]\nrw=nonsense\niodeph=4\ndirect=1\n' },
    };
    const { id } = await client.call('experiment/create', { name: 'bad', definition });
    const error = await client.call('run/start', { experimentId: id }).catch((e: unknown) => e);
    expect(error).toMatchObject({ code: 'VALIDATION', details: [{ line: 2 }, { line: 3 }] });
    expect(await client.call('run/list', { experimentId: id })).toEqual([]);
  });

  test('a run in progress keeps the project from being replaced', async () => {
    const client = await clientOf(await start());
    const { definition } = await client.call('definition/default');
    const long = {
      ...(definition as object),
      workload: { fio: '[a]\nrw=randread\nioengine=libaio\ndirect=1\niodepth=8\nsize=1g\nruntime=1000\ntime_based\n' },
    };
    const { id } = await client.call('experiment/create', { name: 'long', definition: long });
    const { runId } = await client.call('run/start', { experimentId: id });
    await expect(client.call('project/new')).rejects.toMatchObject({ code: 'BUSY' });
    const ended = once(client, 'run/ended');
    expect(await client.call('run/stop', { runId })).toEqual({ stopped: true });
    expect(await ended).toMatchObject({ runId, status: 'stopped' });
  });

  test('what was not saved is there again after a restart', async () => {
    const started = await start();
    const client = await clientOf(started);
    const { definition } = await client.call('definition/default');
    await client.call('experiment/create', { name: 'unsaved', definition });
    await started.host.close();
    const again = await startHost({ project: undefined, port: 0, renderer: join(started.folder, 'renderer') });
    onTestFinished(() => again.close());
    const url = new URL(again.url);
    const token = new URLSearchParams(url.hash.slice(1)).get('t') ?? '';
    const next = await clientOf({ ...started, host: again, port: Number(url.port), token });
    expect(await next.call('project/state')).toMatchObject({ path: null, dirty: true });
    expect(await next.call('experiment/list')).toMatchObject([{ name: 'unsaved' }]);
  });
});
