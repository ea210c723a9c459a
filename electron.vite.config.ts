/**
 * Three builds: main (Electron main, browser host, command line, the two workers), preload (one CommonJS file, as a sandboxed preload must be) and the
 * renderer. Main's chunks stay flat in `out/main`: workers, SQL files and scenarios are found beside the bundle.
 */
import { cpSync } from 'node:fs';
import { resolve } from 'node:path';
import vue from '@vitejs/plugin-vue';
import { defineConfig } from 'electron-vite';

const at = (path: string): string => resolve(import.meta.dirname, path);

/** SQL files and scenarios are data: they go beside the bundle as they are. */
const copyData = {
  name: 'copy-data',
  writeBundle: (): void => {
    for (const folder of ['schema', 'queries'])
      cpSync(at(`main/store/${folder}`), at(`out/main/${folder}`), { recursive: true });
    cpSync(at('resources/scenarios'), at('out/main/scenarios'), { recursive: true });
  },
};

export default defineConfig({
  main: {
    plugins: [copyData],
    build: {
      outDir: at('out/main'),
      sourcemap: true,
      rolldownOptions: {
        input: {
          index: at('main/index.ts'),
          serve: at('main/serve-entry.ts'),
          cli: at('main/cli.ts'),
          'run-worker': at('main/workers/run-worker.ts'),
          'store-worker': at('main/workers/store-worker.ts'),
        },
        output: { entryFileNames: '[name].js', chunkFileNames: '[name]-[hash].js' },
      },
    },
  },
  preload: {
    build: {
      outDir: at('out/preload'),
      externalizeDeps: false,
      rolldownOptions: {
        input: { index: at('preload/index.ts') },
        output: { format: 'cjs', entryFileNames: '[name].cjs' },
      },
    },
  },
  renderer: {
    root: at('renderer'),
    plugins: [vue()],
    build: {
      outDir: at('out/renderer'),
      rolldownOptions: { input: { index: at('renderer/index.html') } },
    },
  },
});
