/** How the columns of a run's tables are shown: order, width, name, and a cell's text. */
import { TABLES } from '../../../core/trace/schema.ts';
import { isWaiting, stageColumn, STAGE_IDS, type StageId } from '../../../core/trace/stages.ts';
import type { RowTable } from '../../../core/contract/api.ts';
import { formatBytes, formatExact, formatNs } from '../../../core/units/format.ts';
import { byPath, stageName } from '../../charts/stage-style.ts';
import type { TableColumn } from '../../components/table-column.ts';
import type { Row } from '../../composables/paged-rows.ts';
import { wordsFor } from '../../locales/words.ts';

/** Drawn from the stages of a row; no column of the database, so nothing to sort by. */
export const WATERFALL = 'waterfall';

/** Before the stages, in this order; the rest of a table's columns follows. */
const FIRST: Readonly<Record<RowTable, readonly string[]>> = {
  io: ['io_id', 'submit_ns', 'job', 'op', 'offset_bytes', 'size_bytes', 'total_ns', WATERFALL],
  request: ['request_id', 'io_id', 'queued_ns', 'op', 'sector', 'size_bytes', 'tag', 'hctx', 'total_ns', WATERFALL],
};

const WIDTHS_PX: Readonly<Record<string, number>> = {
  io_id: 92,
  request_id: 92,
  job: 92,
  op: 56,
  offset_bytes: 112,
  sector: 104,
  size_bytes: 72,
  submit_ns: 92,
  queued_ns: 92,
  total_ns: 84,
  [WATERFALL]: 168,
  cpu: 48,
  tag: 48,
  hctx: 48,
  keyslot: 48,
  key_id: 56,
  dun: 144,
  data_unit_size: 72,
  status: 68,
};
const OTHER_PX = 96;
const STAGE_PX = 112;

const stageOfColumn = new Map<string, StageId>(STAGE_IDS.map((id) => [stageColumn(id), id]));

/** The stage of an `st_…_ns` column. */
export function stageOf(column: string): StageId | undefined {
  return stageOfColumn.get(column);
}

/** The columns to show for what a page holds. */
export function columnViews(table: RowTable, present: readonly string[]): readonly TableColumn[] {
  const has = new Set([...present, WATERFALL]);
  const first = FIRST[table].filter((name) => has.has(name));
  const stages = present
    .filter((name) => stageOf(name) !== undefined)
    .sort((a, b) => byPath(stageOf(a) ?? '', stageOf(b) ?? ''));
  const rest = present.filter((name) => !first.includes(name) && !stages.includes(name));
  return [...first, ...rest, ...stages].map((name) => viewOf(table, name));
}

function viewOf(table: RowTable, name: string): TableColumn {
  const stage = stageOf(name);
  return {
    name,
    label: stage === undefined ? wordsFor(`column.${name}`, name) : stageName(stage),
    widthPx: stage === undefined ? (WIDTHS_PX[name] ?? OTHER_PX) : STAGE_PX,
    isNumber: TABLES[table].find((column) => column.name === name)?.type === 'int',
    isSortable: name !== WATERFALL,
  };
}

/** What inline encryption needs to know of a row. */
export const CRYPTO_COLUMNS: ReadonlySet<string> = new Set(['keyslot', 'key_id', 'dun', 'data_unit_size']);

/** Addresses and data unit numbers. */
const HEXADECIMAL: ReadonlySet<string> = new Set(['offset_bytes', 'sector', 'dun']);

/** A cell as it is read. */
export function cellText(name: string, value: Row[number] | undefined): string {
  if (value === null || value === undefined) return '–';
  if (typeof value === 'string') return value;
  if (name.endsWith('_ns')) return formatNs(value);
  if (name === 'size_bytes' || name === 'data_unit_size') return formatBytes(value);
  if (HEXADECIMAL.has(name)) return `0x${value.toString(16).toUpperCase().padStart(6, '0')}`;
  return formatExact(value);
}

/** A cell to the last digit, with its unit: for the pointer and for copies. */
export function cellExact(name: string, value: Row[number] | undefined): string {
  if (typeof value !== 'number') return cellText(name, value);
  if (name.endsWith('_ns')) return `${formatExact(value)} ns`;
  if (name === 'dun') return cellText(name, value);
  return name.endsWith('_bytes') ? `${formatExact(value)} B` : formatExact(value);
}

export interface RowStage {
  readonly stage: StageId;
  readonly ns: number;
  readonly isWaiting: boolean;
}

/** The stages that a row was in, in the usual order of the path. */
export function stagesOfRow(columns: readonly string[], row: Row): readonly RowStage[] {
  return columns
    .flatMap((name, i) => {
      const stage = stageOf(name);
      const ns = row[i];
      return stage === undefined || typeof ns !== 'number' || ns === 0
        ? []
        : [{ stage, ns, isWaiting: isWaiting(stage) }];
    })
    .sort((a, b) => byPath(a.stage, b.stage));
}

/** A row as an object, for reading single columns. */
export function cellOf(columns: readonly string[], row: Row, name: string): Row[number] | undefined {
  return row[columns.indexOf(name)];
}
