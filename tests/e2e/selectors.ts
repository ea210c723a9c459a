/** Where things are in the window, once for all specs. */
import type { Locator, Page } from 'playwright-core';

export const byTest = (page: Page, name: string): Locator => page.locator(`[data-test="${name}"]`);

export const ui = (page: Page) => ({
  start: byTest(page, 'start'),
  create: byTest(page, 'create'),
  projectName: byTest(page, 'project-name'),
  run: byTest(page, 'run-start'),
  stop: byTest(page, 'stop'),
  screen: (name: 'editor' | 'run' | 'results') => byTest(page, `screen-${name}`),
  part: (name: 'overview' | 'requests') => byTest(page, `part-${name}`),
  mode: (name: 'form' | 'json') => byTest(page, `mode-${name}`),
  table: byTest(page, 'table'),
  tableOf: (name: 'io' | 'request') => byTest(page, `table-${name}`),
  filter: byTest(page, 'filter'),
  filterState: byTest(page, 'filter-state'),
  inspector: byTest(page, 'inspector'),
  stageSum: byTest(page, 'stage-sum'),
  rowCount: byTest(page, 'row-count'),
  traceHash: byTest(page, 'trace-hash'),
  card: (id: string) => byTest(page, `card-${id}`),
  chart: (id: string) => byTest(page, `chart-${id}`),
  runs: page.locator('.explorer [data-test="run-state"]'),
  experiments: byTest(page, 'experiment'),
  fio: byTest(page, 'fio').locator('textarea'),
  json: byTest(page, 'json').locator('textarea'),
  problems: byTest(page, 'problems'),
  field: (path: string) => page.locator(`[data-path="${path}"]`),
  dialog: byTest(page, 'dialog'),
  answer: (id: string) => byTest(page, `answer-${id}`),
  path: byTest(page, 'path'),
  notice: byTest(page, 'notice'),
  progress: byTest(page, 'progress'),
  theme: byTest(page, 'theme'),
});
