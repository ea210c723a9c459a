/** The one connection to main. The boot list provides it before anything asks; tests provide a double. */
import type { RpcClient } from '../../core/contract/rpc.ts';

let client: RpcClient | undefined;

export function provideClient(next: RpcClient): void {
  client = next;
}

/** The client. Throws when there is none yet (a programmer's mistake). */
export function rpc(): RpcClient {
  if (client === undefined) throw new Error('no client was provided');
  return client;
}
