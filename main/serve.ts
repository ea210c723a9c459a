/**
 * The browser host: the same renderer and the same services as the desktop window, over loopback HTTP and one WebSocket per tab. All tabs share
 * one project. Prints the address with its one-time token; the token is in the fragment, which browsers do not send to servers or put in Referer headers.
 */
import { existsSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { basename, join } from 'node:path';
import { WebSocketServer } from 'ws';
import { BlklabError } from '../core/contract/errors.ts';
import { hostGuard, newToken, type HostGuard } from './http/guard.ts';
import { socketPipe } from './http/socket-pipe.ts';
import { sendFile } from './http/static-files.ts';
import { connect } from './ipc/connect.ts';
import { createServices } from './services.ts';
import { userFolder } from './settings/user-folder.ts';
import { Workbench, type FacePorts } from './workbench.ts';

/** Largest message a page may send. @assume several times the largest definition. */
const MAX_MESSAGE_BYTES = 8 << 20;

/** Path of the socket; the token follows as `?t=`. */
const SOCKET_PATH = '/rpc';

export interface ServeOptions {
  readonly project: string | undefined;
  /** 0: any free one. */
  readonly port: number;
  /** Folder of the built renderer; default: beside the bundle. */
  readonly renderer?: string;
}

export interface BrowserHost {
  /** Address to open, token included. */
  readonly url: string;
  close(): Promise<void>;
}

/** A browser has no native dialogs of ours and no window of ours to close: the page asks by itself. */
const BROWSER: FacePorts = {
  kind: 'browser',
  pickOpen: () => Promise.resolve(null),
  pickSave: () => Promise.resolve(null),
  pickDirectory: () => Promise.resolve(null),
  closeWindow: () => false,
};

/** Starts the host. Rejects when the project cannot be opened, the port is taken or the renderer is not built. */
export async function startHost(options: ServeOptions): Promise<BrowserHost> {
  const renderer = options.renderer ?? rendererFolder();
  if (!existsSync(join(renderer, 'index.html')))
    throw new BlklabError('NO_SUCH', `The workbench is not built (no ${renderer}): run "npm run build" first.`);
  const workbench = await Workbench.start({ face: BROWSER, userFolder: userFolder(), project: options.project });
  const token = newToken();
  const server = createServer();
  try {
    const port = await listen(server, options.port);
    const sockets = serveOn(server, renderer, hostGuard(port, token), workbench);
    let closed: Promise<void> | undefined;
    const close = (): Promise<void> => (closed ??= closeAll(server, sockets, workbench));
    return { url: `http://127.0.0.1:${port}/#t=${token}`, close };
  } catch (error) {
    await workbench.close(true);
    throw error;
  }
}

function serveOn(server: Server, renderer: string, guard: HostGuard, workbench: Workbench): WebSocketServer {
  const services = createServices(workbench);
  server.on('request', (request, response) => {
    if (guard.isHostOurs(request.headers)) sendFile(renderer, request, response);
    else response.writeHead(403).end();
  });
  const sockets = new WebSocketServer({ noServer: true, maxPayload: MAX_MESSAGE_BYTES });
  server.on('upgrade', (request, socket, head) => {
    const url = URL.parse(request.url ?? '/', 'http://localhost');
    if (url?.pathname !== SOCKET_PATH || !guard.isSocketAllowed(request.headers, url)) {
      socket.end('HTTP/1.1 403 Forbidden\r\nConnection: close\r\n\r\n');
      return;
    }
    sockets.handleUpgrade(request, socket, head, (client) => {
      // A broken connection also closes it, which ends the pipe; there is nobody left to tell.
      client.on('error', () => client.terminate());
      connect(socketPipe(client), workbench, services);
    });
  });
  return sockets;
}

/** Listens on loopback only. */
function listen(server: Server, port: number): Promise<number> {
  return new Promise((resolve, reject) => {
    server.once('error', (error: NodeJS.ErrnoException) => {
      reject(error.code === 'EADDRINUSE' ? new BlklabError('BAD_INPUT', `Port ${port} is in use.`) : error);
    });
    server.listen(port, '127.0.0.1', () => resolve((server.address() as AddressInfo).port));
  });
}

async function closeAll(server: Server, sockets: WebSocketServer, workbench: Workbench): Promise<void> {
  for (const client of sockets.clients) client.terminate();
  sockets.close();
  server.close();
  server.closeAllConnections();
  await workbench.close(true);
}

/** `out/renderer`, seen from the bundle (`out/main`) and from the sources (`main`). */
function rendererFolder(): string {
  const here = import.meta.dirname;
  return basename(here) === 'main' && basename(join(here, '..')) === 'out'
    ? join(here, '../renderer')
    : join(here, '../out/renderer');
}

/** Serves until SIGINT or SIGTERM. */
export async function serveUntilSignal(options: ServeOptions): Promise<void> {
  const host = await startHost(options);
  process.stdout.write(`blklab: the workbench is at ${host.url}\nblklab: press Ctrl-C to end it.\n`);
  await new Promise<void>((resolve) => {
    process.once('SIGINT', () => resolve()).once('SIGTERM', () => resolve());
  });
  await host.close();
}
