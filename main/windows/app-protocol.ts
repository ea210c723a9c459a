/**
 * `app://blklab/…`: the built renderer under a scheme of its own, so that the page has a proper origin and the content policy of the browser host,
 * which `file://` has not.
 */
import { readFile } from 'node:fs/promises';
import { extname, join } from 'node:path';
import electron from 'electron';
import { CONTENT_POLICY, contentType, fileFor } from '../http/static-files.ts';

const SCHEME = 'app';
const ORIGIN = `${SCHEME}://blklab`;

/** Absent in a host that offers only part of Electron (the tests' stand-in): the page is then loaded from its file. */
const protocol = electron.protocol as typeof electron.protocol | undefined;

/** Announces the scheme. Must be called before the app is ready: Electron fixes the list then. */
export function announceAppScheme(): void {
  protocol?.registerSchemesAsPrivileged([
    { scheme: SCHEME, privileges: { standard: true, secure: true, supportFetchAPI: true } },
  ]);
}

/** Serves the scheme. Returns the address of the page, or undefined where there is no such scheme. */
export function serveAppScheme(): string | undefined {
  if (protocol === undefined) return undefined;
  const root = join(import.meta.dirname, '../renderer');
  protocol.handle(SCHEME, async (request) => {
    const path = fileFor(root, new URL(request.url).pathname);
    if (path === undefined || !request.url.startsWith(`${ORIGIN}/`)) return new Response(null, { status: 404 });
    return new Response(new Uint8Array(await readFile(path)), {
      headers: { 'content-type': contentType(extname(path)), 'content-security-policy': CONTENT_POLICY },
    });
  });
  return `${ORIGIN}/index.html`;
}
