/**
 * Calls into a worker: named methods of an object that lives there, one answer per call, errors as data. Both ends.
 *
 * The caller's end notices when the worker dies and fails every open call, so nothing waits for ever.
 */
import { parentPort, receiveMessageOnPort, Worker, type Transferable } from 'node:worker_threads';
import { BlklabError, fromWireError, toWireError, type WireError } from '../../core/contract/errors.ts';

interface Call {
  readonly id: number;
  readonly method: string;
  readonly args: readonly unknown[];
}

type Answer =
  | { readonly id: number; readonly ok: true; readonly value: unknown }
  | { readonly id: number; readonly ok: false; readonly error: WireError };

/** The methods of a class or object, as seen across the border. */
type MethodsOf<T> = { [K in keyof T]: T[K] extends (...args: never[]) => unknown ? K : never }[keyof T];
type ArgsOf<F> = F extends (...args: infer A) => unknown ? A : never;
type ValueOf<F> = F extends (...args: never[]) => infer R ? Awaited<R> : never;

interface Waiting {
  readonly resolve: (value: never) => void;
  readonly reject: (error: BlklabError) => void;
}

/** The caller's end. */
export class WorkerCalls<T extends object> {
  private readonly worker: Worker;
  private readonly waiting = new Map<number, Waiting>();
  private nextId = 1;
  private death: BlklabError | undefined;
  private readonly name: string;

  constructor(file: string, name: string, workerData: unknown) {
    this.name = name;
    this.worker = new Worker(file, { name, workerData });
    this.worker.on('message', (answer: Answer) => this.settle(answer));
    this.worker.on('error', (error) => this.die(error instanceof Error ? error.message : String(error)));
    this.worker.on('exit', () => this.die('it ended'));
  }

  /** It ended, by itself or because it was told to. */
  get isDead(): boolean {
    return this.death !== undefined;
  }

  /** Calls a method there. Rejects with the error it threw, or when the worker dies. */
  call<K extends MethodsOf<T> & string>(method: K, args: ArgsOf<T[K]>, transfer: readonly Transferable[] = []) {
    return new Promise<ValueOf<T[K]>>((resolve, reject) => {
      if (this.death !== undefined) {
        reject(this.death);
        return;
      }
      const id = this.nextId++;
      this.waiting.set(id, { resolve, reject });
      this.worker.postMessage({ id, method, args } satisfies Call, transfer);
    });
  }

  /** Ends the worker at once; open calls fail. */
  async terminate(): Promise<void> {
    this.die('it was ended');
    await this.worker.terminate();
  }

  private settle(answer: Answer): void {
    const waiting = this.waiting.get(answer.id);
    this.waiting.delete(answer.id);
    if (answer.ok) waiting?.resolve(answer.value as never);
    else waiting?.reject(fromWireError(answer.error));
  }

  private die(reason: string): void {
    this.death ??= new BlklabError('STORE', `The ${this.name} stopped working (${reason}).`);
    for (const { reject } of this.waiting.values()) reject(this.death);
    this.waiting.clear();
  }
}

/**
 * The worker's end: answers calls with the methods of `target`. Returns a function that answers, at once, calls that have arrived and wait for their turn: for work that keeps
 * the event loop busy, since Node takes up to a thousand messages from one port before it looks at another.
 */
export function answerCalls(target: object): () => void {
  const port = parentPort;
  if (port === null) throw new Error('not in a worker');
  const take = (call: Call): void => {
    void answer(target, call).then((result) => port.postMessage(result));
  };
  port.on('message', take);
  return () => {
    for (let next = receiveMessageOnPort(port); next !== undefined; next = receiveMessageOnPort(port))
      take(next.message as Call);
  };
}

async function answer(target: object, { id, method, args }: Call): Promise<Answer> {
  try {
    const own = (target as Record<string, unknown>)[method];
    if (typeof own !== 'function') throw new BlklabError('NO_METHOD', `no method ${method}`);
    return { id, ok: true, value: await (own as (...a: unknown[]) => unknown).apply(target, [...args]) };
  } catch (error) {
    return { id, ok: false, error: toWireError(error) };
  }
}
