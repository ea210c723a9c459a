/**
 * Who may talk to the browser host. Loopback is no border: every page of every browser on this machine can reach it, and a name can be made to
 * point at it (DNS rebinding). So the Host header must be ours, the Origin of a socket must be ours, and the token in the link must be there.
 */
import { randomBytes, timingSafeEqual } from 'node:crypto';
import type { IncomingHttpHeaders } from 'node:http';

/** 192 bits: nobody guesses it. */
const TOKEN_BYTES = 24;

/** A token for one start of the host. */
export function newToken(): string {
  return randomBytes(TOKEN_BYTES).toString('base64url');
}

/** Compares in constant time. */
export function isToken(given: string | null, token: string): boolean {
  const a = Buffer.from(given ?? '');
  const b = Buffer.from(token);
  return a.length === b.length && timingSafeEqual(a, b);
}

export interface HostGuard {
  /** May this request be answered at all? */
  isHostOurs(headers: IncomingHttpHeaders): boolean;
  /** May this socket be opened? */
  isSocketAllowed(headers: IncomingHttpHeaders, url: URL): boolean;
}

/** The guard of a host that listens on a loopback port. */
export function hostGuard(port: number, token: string): HostGuard {
  const hosts = new Set([`127.0.0.1:${port}`, `localhost:${port}`]);
  const isHostOurs = ({ host }: IncomingHttpHeaders): boolean => host !== undefined && hosts.has(host);
  return {
    isHostOurs,
    isSocketAllowed: (headers, url) =>
      isHostOurs(headers) &&
      headers.origin === `http://${headers.host ?? ''}` &&
      isToken(url.searchParams.get('t'), token),
  };
}
