/** A double of main behind a real client: answers methods from a table, records what was asked, can tell topics. For the specs of stores and components. */
import type { Api, Method, Params, Result, Topic, Topics } from '../../core/contract/api.ts';
import { createClient, servePipe, type Pipe, type RpcServer } from '../../core/contract/rpc.ts';
import { provideClient } from '../stores/client.ts';

export type Answers = { [M in Method]?: (params: Params<M>) => Result<M> | Promise<Result<M>> };

export interface FakeMain {
  /** Methods that were called, in order. */
  readonly calls: { readonly method: Method; readonly params: unknown }[];
  answers: Answers;
  tell<T extends Topic>(topic: T, value: Topics[T]): void;
  /** Parameters of the latest call of a method. */
  lastOf<M extends Method>(method: M): Params<M> | undefined;
}

/** Two ends of a pipe; what crosses is cloned, as on every real one. */
function pipes(): [Pipe, Pipe] {
  const listeners: ((message: unknown) => void)[][] = [[], []];
  const end = (mine: number): Pipe => ({
    send: (message) => {
      const copy = structuredClone(message);
      queueMicrotask(() => {
        for (const listener of listeners[1 - mine]) listener(copy);
      });
    },
    onMessage: (listener) => void listeners[mine].push(listener),
  });
  return [end(0), end(1)];
}

/** Provides the stores with a client whose main is this double. A method without an answer fails with NO_METHOD. */
export function fakeMain(answers: Answers = {}): FakeMain {
  const [page, main] = pipes();
  const calls: FakeMain['calls'] = [];
  const fake: FakeMain = {
    calls,
    answers,
    tell: (topic, value) => server.emit(topic, value),
    lastOf: (method) => calls.findLast((call) => call.method === method)?.params as never,
  };
  const server: RpcServer = servePipe(
    main,
    { has: (name: string) => name in fake.answers } as ReadonlySet<string>,
    (method, params) => {
      calls.push({ method, params });
      const answer = fake.answers[method] as ((params: unknown) => ReturnType<Api[Method]>) | undefined;
      return answer?.(params);
    },
  );
  provideClient(createClient(page));
  return fake;
}

/** Lets everything under way come to rest (timers must be real or advanced by the caller). */
export async function settle(): Promise<void> {
  for (let i = 0; i < 20; i++) await Promise.resolve();
}
