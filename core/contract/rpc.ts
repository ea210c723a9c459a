/**
 * Calls and topics over a message pipe, the same behind Electron IPC and behind a WebSocket: requests with answers, cancelling, errors as data,
 * and topics from main to every listener. Knows no transport: a `Pipe` carries plain data (typed arrays included).
 */
import type { Api, Method, Params, Result, Topic, Topics } from './api.ts';
import { BlklabError, fromWireError, toWireError, type WireError } from './errors.ts';

/** Carries messages in order. Electron clones them structurally; `wire.ts` makes frames of them for a WebSocket. */
export interface Pipe {
  send(message: unknown): void;
  onMessage(listener: (message: unknown) => void): void;
  /** Called once when the other side is gone. A pipe that cannot tell leaves it out. */
  onClose?(listener: () => void): void;
}

/** What an `AbortSignal` offers, as far as it is needed here. */
export interface CancelSignal {
  readonly aborted: boolean;
  addEventListener(type: 'abort', listener: () => void): void;
}

type Message =
  | { readonly kind: 'call'; readonly id: number; readonly method: string; readonly params: unknown }
  | { readonly kind: 'cancel'; readonly id: number }
  | { readonly kind: 'result'; readonly id: number; readonly value: unknown }
  | { readonly kind: 'error'; readonly id: number; readonly error: WireError }
  | { readonly kind: 'topic'; readonly topic: string; readonly value: unknown };

/** The renderer's end. */
export interface RpcClient {
  /** Calls a method. Rejects with a `BlklabError`; with CANCELLED when `signal` aborts or the connection is lost. */
  call<M extends Method>(method: M, ...args: CallArgs<M>): Promise<Result<M>>;
  /** Listens to a topic. Returns the function that ends it. */
  on<T extends Topic>(topic: T, listener: (value: Topics[T]) => void): () => void;
}

export type CallArgs<M extends Method> =
  undefined extends Params<M>
    ? [params?: undefined, signal?: CancelSignal]
    : [params: Params<M>, signal?: CancelSignal];

interface Waiting {
  readonly resolve: (value: never) => void;
  readonly reject: (error: BlklabError) => void;
}

/** Makes a client of a pipe. */
export function createClient(pipe: Pipe): RpcClient {
  const waiting = new Map<number, Waiting>();
  const listeners = new Map<string, Set<(value: never) => void>>();
  let nextId = 1;
  let isClosed = false;

  const settle = (id: number): Waiting | undefined => {
    const call = waiting.get(id);
    waiting.delete(id);
    return call;
  };
  pipe.onMessage((raw) => {
    const message = raw as Message;
    if (message.kind === 'topic')
      for (const listener of listeners.get(message.topic) ?? []) listener(message.value as never);
    else if (message.kind === 'result') settle(message.id)?.resolve(message.value as never);
    else if (message.kind === 'error') settle(message.id)?.reject(fromWireError(message.error));
  });
  pipe.onClose?.(() => {
    isClosed = true;
    for (const id of [...waiting.keys()]) settle(id)?.reject(connectionLost());
  });

  return {
    call: (method, ...args) =>
      new Promise((resolve, reject) => {
        const [params, signal] = args as [unknown, CancelSignal | undefined];
        if (isClosed) {
          reject(connectionLost());
          return;
        }
        const id = nextId++;
        waiting.set(id, { resolve, reject });
        const cancel = (): void => {
          if (!waiting.has(id)) return;
          pipe.send({ kind: 'cancel', id } satisfies Message);
          settle(id)?.reject(new BlklabError('CANCELLED', 'The request was cancelled.'));
        };
        pipe.send({ kind: 'call', id, method, params } satisfies Message);
        if (signal?.aborted === true) cancel();
        else signal?.addEventListener('abort', cancel);
      }),
    on: (topic, listener) => {
      const all = listeners.get(topic) ?? new Set();
      listeners.set(topic, all.add(listener));
      return () => {
        all.delete(listener);
      };
    },
  };
}

function connectionLost(): BlklabError {
  return new BlklabError('CANCELLED', 'The connection to blklab was lost.');
}

/** Tells a handler that nobody waits for its answer any more. */
export interface CallContext {
  onCancel(listener: () => void): void;
}

/** What serves the API: any method by name, with parameters that nobody has checked yet. */
export type Dispatch = (method: keyof Api, params: unknown, context: CallContext) => unknown;

export interface RpcServer {
  emit<T extends Topic>(topic: T, value: Topics[T]): void;
  /** Cancels what is under way. */
  close(): void;
}

/** Serves a pipe. Every failure of `dispatch` reaches the caller as data. */
export function servePipe(pipe: Pipe, methods: ReadonlySet<string>, dispatch: Dispatch): RpcServer {
  const live = new Map<number, () => void>();
  let isOpen = true;
  const send = (message: Message): void => {
    if (isOpen) pipe.send(message);
  };

  const answer = async (id: number, method: string, params: unknown): Promise<void> => {
    const onCancel: (() => void)[] = [];
    live.set(id, () => {
      for (const listener of onCancel) listener();
    });
    try {
      if (!methods.has(method)) throw new BlklabError('NO_METHOD', `There is no method ${method}.`);
      const context = { onCancel: (listener: () => void) => void onCancel.push(listener) };
      send({ kind: 'result', id, value: await dispatch(method as Method, params, context) });
    } catch (error) {
      send({ kind: 'error', id, error: toWireError(error) });
    } finally {
      live.delete(id);
    }
  };
  const close = (): void => {
    isOpen = false;
    for (const cancel of live.values()) cancel();
    live.clear();
  };

  pipe.onMessage((raw) => {
    const message = parseMessage(raw);
    if (message?.kind === 'cancel') live.get(message.id)?.();
    else if (message?.kind === 'call') void answer(message.id, message.method, message.params);
  });
  pipe.onClose?.(close);
  return { emit: (topic, value) => send({ kind: 'topic', topic, value }), close };
}

/** Messages come from a page: anything that is not a well-formed call or cancel is ignored. */
function parseMessage(raw: unknown): Extract<Message, { kind: 'call' | 'cancel' }> | undefined {
  if (typeof raw !== 'object' || raw === null) return undefined;
  const { kind, id, method, params } = raw as Readonly<Record<string, unknown>>;
  if (typeof id !== 'number' || !Number.isSafeInteger(id)) return undefined;
  if (kind === 'cancel') return { kind, id };
  if (kind === 'call' && typeof method === 'string') return { kind, id, method, params };
  return undefined;
}
