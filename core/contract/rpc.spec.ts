import { describe, expect, test } from 'vitest';
import { BlklabError } from './errors.ts';
import { createClient, servePipe, type Dispatch, type Pipe } from './rpc.ts';
import { encode, FrameDecoder, type Frame } from './wire.ts';

/** Two ends of a pipe that carries frames, as a socket would. */
function pipePair(): { near: Pipe; far: Pipe; close(): void; frames: Frame[] } {
  const frames: Frame[] = [];
  const closers: (() => void)[] = [];
  const listeners: [((m: unknown) => void)[], ((m: unknown) => void)[]] = [[], []];
  const end = (own: 0 | 1): Pipe => {
    const decoder = new FrameDecoder();
    return {
      send: (message) => {
        for (const frame of encode(message)) {
          frames.push(frame);
          const whole = decoder.push(frame);
          if (whole !== undefined) for (const listener of listeners[own === 0 ? 1 : 0]) listener(whole.message);
        }
      },
      onMessage: (listener) => void listeners[own].push(listener),
      onClose: (listener) => void closers.push(listener),
    };
  };
  return { near: end(0), far: end(1), close: () => closers.forEach((close) => close()), frames };
}

const METHODS = new Set(['run/stop', 'query/histogram', 'project/state']);

function connected(dispatch: Dispatch) {
  const pair = pipePair();
  const server = servePipe(pair.far, METHODS, dispatch);
  return { ...pair, server, client: createClient(pair.near) };
}

describe('a call', () => {
  test('reaches the method with its parameters and brings the answer back', async () => {
    const { client } = connected((method, params) => ({ stopped: method === 'run/stop' && params !== undefined }));
    await expect(client.call('run/stop', { runId: 3 })).resolves.toEqual({ stopped: true });
  });

  test('carries typed arrays as they are, NaN and infinity in them included', async () => {
    const edgesNs = Float64Array.of(1, NaN, Infinity, -0);
    const { client } = connected(() => ({ edgesNs, counts: Float64Array.of(7), n: 1 }));
    const answer = await client.call('query/histogram', { runId: 1, where: '', bins: 3 });
    expect(answer).toEqual({ edgesNs, counts: Float64Array.of(7), n: 1 });
    expect(answer.edgesNs).toBeInstanceOf(Float64Array);
  });

  test('that fails rejects with code, message and details', async () => {
    const problems = [{ path: '/seed' }];
    const { client } = connected(() => {
      throw new BlklabError('VALIDATION', 'no', problems);
    });
    const error = await client.call('project/state').catch((e: unknown) => e);
    expect(error).toBeInstanceOf(BlklabError);
    expect(error).toMatchObject({ code: 'VALIDATION', message: 'no', details: problems });
  });

  test('of a method that is not listed is NO_METHOD, inherited names included', async () => {
    const { client } = connected(() => 1);
    for (const method of ['nothing/here', 'constructor', '__proto__'])
      await expect(client.call(method as 'project/state')).rejects.toMatchObject({ code: 'NO_METHOD' });
  });

  test('that is cancelled rejects at once and tells the handler', async () => {
    let told = false;
    const { client } = connected(
      (_method, _params, context) =>
        new Promise((resolve) => {
          context.onCancel(() => {
            told = true;
            resolve(undefined);
          });
        }),
    );
    const abort = new AbortController();
    const call = client.call('project/state', undefined, abort.signal);
    abort.abort();
    await expect(call).rejects.toMatchObject({ code: 'CANCELLED' });
    expect(told).toBe(true);
  });

  test('open when the connection is lost rejects, and so do later ones', async () => {
    const { client, close } = connected(() => new Promise(() => undefined));
    const call = client.call('project/state');
    close();
    await expect(call).rejects.toMatchObject({ code: 'CANCELLED' });
    await expect(client.call('project/state')).rejects.toMatchObject({ code: 'CANCELLED' });
  });
});

describe('topics', () => {
  test('reach every listener until it leaves', () => {
    const { client, server } = connected(() => 1);
    const heard: string[] = [];
    const leave = client.on('app/command', ({ id }) => heard.push(`a ${id}`));
    client.on('app/command', ({ id }) => heard.push(`b ${id}`));
    server.emit('app/command', { id: 'x' });
    leave();
    server.emit('app/command', { id: 'y' });
    expect(heard).toEqual(['a x', 'b x', 'b y']);
  });
});

describe('a page that sends nonsense', () => {
  test.each([
    null,
    7,
    'text',
    [],
    {},
    { kind: 'call' },
    { kind: 'call', id: 'x', method: 'm' },
    { kind: 'call', id: 1, method: 3 },
  ])('such as %j is not heard', (message) => {
    const { near, frames } = connected(() => 1);
    near.send(message);
    expect(frames).toHaveLength(1);
  });
});

describe('frames', () => {
  const roundTrip = (message: unknown): unknown => {
    const decoder = new FrameDecoder();
    return encode(message)
      .map((frame) => decoder.push(frame))
      .at(-1)?.message;
  };

  test.each([
    [{ a: [1, 'x', null, { b: Uint8Array.of(1, 2, 3) }], c: Int32Array.of(-1) }],
    [Float64Array.of(1.5)],
    [{ $b: ['Float64Array', 0, 8], arrays: [], message: 1 }],
    ['text'],
    [null],
  ])('bring %j across unchanged', (message) => {
    expect(roundTrip(message)).toEqual(message);
  });

  test('take a part of a larger buffer for what it is', () => {
    expect(roundTrip({ a: Float64Array.of(1, 2, 3, 4).subarray(1, 3) })).toEqual({ a: Float64Array.of(2, 3) });
  });

  test('are read from wherever the transport put them in memory', () => {
    const [head, body] = encode({ a: Float64Array.of(3.25) });
    const shifted = new Uint8Array(11);
    shifted.set(body as Uint8Array, 3);
    const decoder = new FrameDecoder();
    decoder.push(head);
    expect(decoder.push(shifted.subarray(3))?.message).toEqual({ a: Float64Array.of(3.25) });
  });

  test.each([
    ['bytes without a text', [new Uint8Array(8)]],
    ['two texts where bytes must follow', [encode({ a: new Uint8Array(1) })[0], '{}']],
    [
      'a path that leads nowhere',
      ['{"message":{},"arrays":[{"path":["a","b"],"type":"Uint8Array"}]}', new Uint8Array(1)],
    ],
    [
      'a path through a prototype',
      ['{"message":{},"arrays":[{"path":["__proto__"],"type":"Uint8Array"}]}', new Uint8Array(1)],
    ],
    ['a type that is none', ['{"message":null,"arrays":[{"path":[],"type":"Function"}]}']],
    ['half a number', ['{"message":null,"arrays":[{"path":[],"type":"Float64Array"}]}', new Uint8Array(7)]],
    ['a text that is not JSON', ['{']],
  ])('with %s are refused', (_what, frames) => {
    const decoder = new FrameDecoder();
    expect(() => frames.forEach((frame) => decoder.push(frame))).toThrow();
  });
});
