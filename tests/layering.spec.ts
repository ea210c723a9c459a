/** The layer table (docs/architecture.md) and core's room order hold for every import of the tree. */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { findBreaches, importsOf, ROOT, sourceFiles, walkImports } from './layers.ts';

const LAYERS = ['core', 'main', 'preload', 'renderer'].filter((folder) => existsSync(join(ROOT, folder)));

/** The reasons given for one import statement in a file. */
const judge = (file: string, statement: string): string[] =>
  findBreaches(importsOf(file, statement)).map((breach) => breach.why);

describe('the import walker', () => {
  it('sees static, re-exported, type-only and dynamic imports', () => {
    const text = [
      "import { a } from './a.ts';",
      "import type { B } from '../b/b.ts';",
      "export * from './c.ts';",
      "const d = await import('node:fs');",
    ].join('\n');
    expect(importsOf('core/block/x.ts', text).map((found) => found.to ?? found.specifier)).toEqual([
      'core/block/a.ts',
      'core/b/b.ts',
      'core/block/c.ts',
      'node:fs',
    ]);
  });

  it('sees the imports of the script of a Vue file and none of its template', () => {
    const text =
      "<template><p>import x from 'y'</p></template>\n<script setup lang=\"ts\">\nimport { z } from './z.ts';\n</script>";
    expect(importsOf('renderer/app/App.vue', text).map((found) => found.to)).toEqual(['renderer/app/z.ts']);
  });

  it.each([
    ['core/block/a.ts', "import { readFileSync } from 'node:fs';"],
    ['core/block/a.ts', "import Database from 'better-sqlite3';"],
    ['core/block/a.ts', "import type { Run } from '../../main/runs/run.ts';"],
    ['core/engine/a.ts', "import type { Bio } from '../block/bio.ts';"],
    ['core/block/a.ts', "import type { UfsHost } from '../hosts/ufs/host.ts';"],
    ['core/hosts/ufs/a.ts', "import type { Cqhci } from '../mmc/cqhci.ts';"],
    ['core/block/a.ts', "import { RegisterFile } from '../hosts/register-file.ts';"],
    ['core/media/a.ts', "import type { UfsHost } from '../hosts/ufs/host.ts';"],
    ['core/workload/a.ts', "import { Histogram } from '../metrics/histogram.ts';"],
    ['core/block/a.ts', "import type { Api } from '../contract/api.ts';"],
    ['core/attic/a.ts', "import { ns } from '../units/units.ts';"],
    ['main/ipc/a.ts', "import App from '../../renderer/app/App.vue';"],
    ['main/ipc/a.ts', "import { ref } from 'vue';"],
    ['preload/index.ts', "import { Engine } from '../core/engine/engine.ts';"],
    ['preload/index.ts', "import { join } from 'node:path';"],
    ['renderer/stores/a.ts', "import { Engine } from '../../core/engine/engine.ts';"],
    ['renderer/stores/a.ts', "import { build } from '../../core/experiment/build.ts';"],
    ['renderer/stores/a.ts', "import { ipcRenderer } from 'electron';"],
    ['renderer/stores/a.ts', "const run = await import('../../main/runs/run.ts');"],
    ['core/block/a.spec.ts', "import { open } from '../../main/project/project.ts';"],
  ])('refuses in %s: %s', (file, statement) => {
    expect(judge(file, statement)).toHaveLength(1);
  });

  it.each([
    ['core/block/a.ts', "import type { Engine } from '../engine/engine.ts';"],
    ['core/hosts/ufs/a.ts', "import { RegisterFile } from '../register-file.ts';"],
    ['core/experiment/a.ts', "import { Histogram } from '../metrics/histogram.ts';"],
    ['core/contract/a.ts', "import type { Summary } from '../experiment/summary.ts';"],
    ['core/block/a.spec.ts', "import { NullDevice } from '../media/null-device.ts';"],
    ['core/block/a.spec.ts', "import { readFileSync } from 'node:fs';"],
    ['main/store/a.ts', "import Database from 'better-sqlite3';"],
    ['preload/index.ts', "import { CALLS } from '../core/contract/api.ts';"],
    ['renderer/charts/a.ts', "import { STAGES } from '../../core/trace/stages.ts';"],
    ['renderer/charts/a.ts', "import { Chart } from 'chart.js';"],
    ['tests/main/a.ts', "import { Engine } from '../../core/engine/engine.ts';"],
  ])('allows in %s: %s', (file, statement) => {
    expect(judge(file, statement)).toEqual([]);
  });
});

describe('the tree', () => {
  const imports = walkImports(ROOT, sourceFiles(ROOT, LAYERS));

  it('is really walked', () => {
    expect(imports.length).toBeGreaterThan(5);
    expect(imports.some((found) => found.to === 'core/engine/ring.ts')).toBe(true);
  });

  it('holds the layer table and the room order', () => {
    expect(findBreaches(imports)).toEqual([]);
  });

  it('names files with their endings, so that sources run unbuilt', () => {
    const bare = imports.filter((found) => found.to !== undefined && !/\.(ts|vue|json|css|svg)$/.test(found.to));
    expect(bare.map((found) => `${found.from}: ${found.specifier}`)).toEqual([]);
  });

  it('has no import that leads nowhere', () => {
    const lost = imports.filter((found) => found.to !== undefined && !existsSync(join(ROOT, found.to)));
    expect(lost.map((found) => `${found.from}: ${found.specifier}`)).toEqual([]);
  });
});
