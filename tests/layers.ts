/**
 * The layer table and core's room order as data, and the walk over every import that checks them.
 *
 * A *unit* is what a rule speaks of: a layer (`main`, `renderer`, …) or, inside core, a room (`core/block`, `core/hosts/ufs`). A room may
 * import itself and the rooms of a lower rank; rooms of one rank do not know each other. Specs are exempt from the room order (a block
 * spec may drive a host), never from the layers. Workers named by URL and SQL files are not imports and are not seen here.
 */
import { readFileSync, readdirSync } from 'node:fs';
import { dirname, join, posix, relative, sep } from 'node:path';
import ts from 'typescript';

/** Core's rooms from left to right; a room may import what stands to its left. */
export const ROOM_ORDER: readonly (readonly string[])[] = [
  ['units'],
  ['engine'],
  ['trace'],
  ['cryptoapi'],
  ['crypto'],
  ['block'],
  ['dm'],
  ['media'],
  ['hosts', 'ice'],
  ['workload', 'faults'],
  ['metrics'],
  ['experiment'],
];

/** What the renderer may see of core: rooms and files of plain data. `experiment` without what builds and runs a stack. */
const RENDERER_SEES =
  /^core\/(contract\/|units\/|metrics\/|experiment\/(?!build|run)|trace\/(stages|schema)\.ts$|workload\/fio)/;

/** Packages each layer may import. Specs may import `vitest`, `node:` and test libraries besides. */
const PACKAGES: Readonly<Record<string, RegExp>> = {
  core: /^zod$/,
  main: /^(node:.*|electron|better-sqlite3|ws|commander|zod)$/,
  preload: /^electron$/,
  renderer: /^(vue|pinia|chart\.js|zod|@vue\/.*)(\/.*)?$/,
};

/** Layers each layer may import besides itself. `core` seen from preload and renderer is narrowed further below. */
const LAYERS: Readonly<Record<string, readonly string[]>> = {
  core: [],
  main: ['core'],
  preload: ['core'],
  renderer: ['core'],
};

export interface Import {
  /** Importing file, relative to the root, with `/`. */
  readonly from: string;
  /** What the import statement says. */
  readonly specifier: string;
  /** Imported file relative to the root, or undefined for a package. */
  readonly to: string | undefined;
}

export interface Breach {
  readonly from: string;
  readonly specifier: string;
  readonly why: string;
}

const isSpec = (file: string): boolean => /\.(spec|e2e|long)\.ts$/.test(file);

const layerOf = (file: string): string => file.slice(0, file.indexOf('/'));

/** The rank of the room a core file lives in, or undefined when the room has no place in the order. */
function rankOf(file: string): number | undefined {
  const room = file.split('/')[1];
  const rank = ROOM_ORDER.findIndex((rooms) => rooms.includes(room));
  return rank < 0 ? undefined : rank;
}

/** The room of a core file; each host controller is a room of its own, files directly in `hosts/` are shared by them and by the engine `ice`. */
function roomOf(file: string): string {
  const parts = file.split('/');
  return parts[1] === 'hosts' && parts.length > 3 ? `hosts/${parts[2]}` : parts[1];
}

function roomBreach(from: string, to: string): string | undefined {
  const room = roomOf(from);
  const target = roomOf(to);
  if (room === 'contract') return undefined;
  if (target === 'contract') return 'no room imports contract';
  const rank = rankOf(from);
  const targetRank = rankOf(to);
  if (rank === undefined) return `core/${room} has no place in the room order`;
  if (targetRank === undefined) return `core/${target} has no place in the room order`;
  const isSharedByHosts = target === 'hosts' && (room.startsWith('hosts/') || room === 'ice');
  if (room === target || targetRank < rank || isSharedByHosts) return undefined;
  return `${room} may import only rooms to its left, ${target} is not`;
}

function packageBreach(from: string, specifier: string): string | undefined {
  if (isSpec(from)) return undefined;
  const allowed = PACKAGES[layerOf(from)];
  return allowed === undefined || allowed.test(specifier) ? undefined : `${layerOf(from)} may not import this package`;
}

function fileBreach(from: string, to: string): string | undefined {
  const layer = layerOf(from);
  const target = layerOf(to);
  const allowed = LAYERS[layer];
  if (allowed === undefined) return undefined; // tests, bench and scripts stand outside the layers and may use them all
  if (isSpec(from) && target === 'tests') return undefined;
  if (layer !== target && !allowed.includes(target)) return `${layer} may not import ${target}`;
  if (isSpec(from)) return undefined;
  if (layer === 'core') return roomBreach(from, to);
  if (layer === 'preload' && target === 'core' && !to.startsWith('core/contract/'))
    return 'preload sees only core/contract';
  if (layer === 'renderer' && target === 'core' && !RENDERER_SEES.test(to))
    return 'the renderer sees only plain data of core';
  return undefined;
}

/** Every breach of the layer table and the room order among `imports`. */
export function findBreaches(imports: readonly Import[]): Breach[] {
  const breaches: Breach[] = [];
  for (const { from, specifier, to } of imports) {
    const why = to === undefined ? packageBreach(from, specifier) : fileBreach(from, to);
    if (why !== undefined) breaches.push({ from, specifier, why });
  }
  return breaches;
}

/** The imports that one source text states: static, re-exported, type-only, dynamic. A `.vue` file's are those of its scripts. */
export function importsOf(file: string, text: string): Import[] {
  const source = file.endsWith('.vue') ? scriptsOf(text) : text;
  return ts.preProcessFile(source, true, true).importedFiles.map(({ fileName: specifier }) => ({
    from: file,
    specifier,
    to: specifier.startsWith('.') ? posix.join(posix.dirname(file), specifier.replace(/\?.*$/, '')) : undefined,
  }));
}

function scriptsOf(vue: string): string {
  return [...vue.matchAll(/<script\b[^>]*>([\s\S]*?)<\/script>/g)].map((match) => match[1]).join('\n');
}

/** All TypeScript and Vue sources below the given folders of `root`, as paths relative to it. */
export function sourceFiles(root: string, folders: readonly string[]): string[] {
  return folders
    .flatMap((folder) => readdirSync(join(root, folder), { recursive: true, withFileTypes: true }))
    .filter((entry) => entry.isFile() && /\.(ts|vue)$/.test(entry.name))
    .map((entry) => relative(root, join(entry.parentPath, entry.name)).split(sep).join('/'))
    .sort();
}

/** Reads and scans `files` of the tree at `root`. */
export function walkImports(root: string, files: readonly string[]): Import[] {
  return files.flatMap((file) => importsOf(file, readFileSync(join(root, file), 'utf8')));
}

/** The root of this checkout. */
export const ROOT = dirname(import.meta.dirname);
