/** What a page may send: one schema per method. Anything else is refused before a service sees it. */
import { isAbsolute } from 'node:path';
import * as z from 'zod';
import type { Method } from '../../core/contract/api.ts';
import { BlklabError } from '../../core/contract/errors.ts';
import { MAX_PAGE_ROWS } from '../store/page-size.ts';

const nothing = z.union([z.undefined(), z.null(), z.strictObject({})]);
const id = z.int().positive();
const index = z.int().nonnegative();
const path = z.string().min(1).max(4096).refine(isAbsolute, 'must be an absolute path');
const name = z.string().trim().min(1).max(200);
const where = z.string().max(10_000);
const table = z.enum(['io', 'request']);
/** A definition may hold anything; validation says what is wrong with it. Bounded, since it is kept as a draft whatever it is. */
const definition = z.unknown().refine((value) => JSON.stringify(value ?? null).length < 4_000_000, 'is too large');
const chart = { runId: id, where };
/** @assume the resolution of large screens; a bound on what one answer may weigh */
const resolution = z.int().min(1).max(4096);

const payloads = {
  'app/info': nothing,
  'project/state': nothing,
  'project/new': nothing,
  'project/open': z.strictObject({ path }),
  'project/pickOpen': nothing,
  'project/pickSave': z.strictObject({ suggested: z.string().max(255) }),
  'project/save': nothing,
  'project/saveAs': z.strictObject({ path }),
  'project/recent': nothing,
  'project/closeAnswer': z.strictObject({ answer: z.enum(['save', 'discard', 'cancel']) }),
  'experiment/list': nothing,
  'experiment/create': z.strictObject({ name, definition }),
  'experiment/rename': z.strictObject({ id, name }),
  'experiment/draft': z.strictObject({ id, definition }),
  'experiment/remove': z.strictObject({ id }),
  'definition/default': nothing,
  'definition/validate': z.strictObject({ definition }),
  'definition/schema': nothing,
  'run/start': z.strictObject({ experimentId: id }),
  'run/stop': z.strictObject({ runId: id }),
  'run/list': z.strictObject({ experimentId: id }),
  'run/summary': z.strictObject({ runId: id }),
  'run/remove': z.strictObject({ runId: id }),
  'query/page': z.strictObject({
    runId: id,
    table,
    where,
    sort: z.strictObject({ column: z.string().regex(/^\w+$/), descending: z.boolean() }).nullable(),
    offset: index,
    limit: z.int().min(0).max(MAX_PAGE_ROWS),
  }),
  'query/histogram': z.strictObject({ ...chart, bins: resolution }),
  'query/latencyOverTime': z.strictObject({ ...chart, columns: resolution, rows: resolution }),
  'query/stages': z.strictObject(chart),
  'query/keyslots': z.strictObject({ runId: id, fromNs: index, toNs: id.nullable(), columns: resolution }),
  'query/checkWhere': z.strictObject({ table, where }),
  'export/csv': z.strictObject({ runId: id, directory: path }),
  'export/pickDirectory': nothing,
} as const satisfies Record<Method, z.ZodType>;

/** The names of all methods. */
export const METHODS: ReadonlySet<string> = new Set(Object.keys(payloads));

/** The parameters of a call, checked. Throws BAD_INPUT saying what is wrong. */
export function parsePayload(method: Method, params: unknown): unknown {
  const parsed = payloads[method].safeParse(params);
  if (parsed.success) return parsed.data;
  const [issue] = parsed.error.issues;
  const where = issue.path.length === 0 ? '' : `${issue.path.join('.')}: `;
  throw new BlklabError('BAD_INPUT', `${method}: ${where}${issue.message}.`);
}
