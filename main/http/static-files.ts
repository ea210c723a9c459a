/** Serves the built renderer: files below one folder, nothing else, with the content policy of a page that loads only itself. */
import { createReadStream, realpathSync, statSync } from 'node:fs';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { extname, join, sep } from 'node:path';

const TYPES: Readonly<Record<string, string>> = {
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.css': 'text/css; charset=utf-8',
  '.svg': 'image/svg+xml',
  '.png': 'image/png',
  '.ico': 'image/x-icon',
  '.json': 'application/json',
  '.map': 'application/json',
  '.woff2': 'font/woff2',
};

/**
 * Only what we ship, and a socket to where it came from. Inline style attributes are Vue's `:style` on elements, set through the CSSOM, and need no
 * exception; a style element that Chart.js or a component adds would.
 */
export const CONTENT_POLICY = [
  "default-src 'self'",
  "script-src 'self'",
  "style-src 'self' 'unsafe-inline'",
  "img-src 'self' data: blob:",
  "connect-src 'self'",
  "object-src 'none'",
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'none'",
].join('; ');

const HEADERS = {
  'content-security-policy': CONTENT_POLICY,
  'x-content-type-options': 'nosniff',
  'referrer-policy': 'no-referrer',
  'cross-origin-opener-policy': 'same-origin',
  'cross-origin-resource-policy': 'same-origin',
  'cache-control': 'no-cache',
} as const;

/** The media type of a file extension (with its dot). */
export function contentType(extension: string): string {
  return TYPES[extension] ?? 'application/octet-stream';
}

/** The file a URL path stands for, or undefined when it is none below `root`. */
export function fileFor(root: string, urlPath: string): string | undefined {
  let name: string;
  try {
    name = decodeURIComponent(urlPath);
  } catch {
    // not a well-formed URL
    return undefined;
  }
  if (name.includes('\0') || name.includes('\\')) return undefined;
  const path = join(root, name === '/' ? 'index.html' : name);
  if (!path.startsWith(root + sep) || statSync(path, { throwIfNoEntry: false })?.isFile() !== true) return undefined;
  // a link inside the folder may lead out of it
  return realpathSync(path).startsWith(realpathSync(root) + sep) ? path : undefined;
}

/** Answers a request for a file. */
export function sendFile(root: string, request: IncomingMessage, response: ServerResponse): void {
  const isReading = request.method === 'GET' || request.method === 'HEAD';
  const url = URL.parse(request.url ?? '/', 'http://localhost');
  const path = isReading && url !== null ? fileFor(root, url.pathname) : undefined;
  if (path === undefined) {
    response.writeHead(isReading ? 404 : 405, HEADERS).end();
    return;
  }
  response.writeHead(200, { ...HEADERS, 'content-type': contentType(extname(path)) });
  if (request.method === 'HEAD') response.end();
  else createReadStream(path).pipe(response);
}
