import vue from '@vitejs/plugin-vue';
import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: {
    coverage: { provider: 'v8', include: ['core/**', 'main/**', 'renderer/**'] },
    projects: [
      // on a busy machine a test of a second takes many
      { test: { name: 'core', environment: 'node', include: ['core/**/*.spec.ts'], testTimeout: 60_000 } },
      {
        test: {
          name: 'main',
          environment: 'node',
          include: ['main/**/*.spec.ts', 'tests/*.spec.ts', 'tests/main/**/*.spec.ts'],
          pool: 'forks',
          testTimeout: 60_000,
          hookTimeout: 60_000,
        },
      },
      { plugins: [vue()], test: { name: 'web', environment: 'happy-dom', include: ['renderer/**/*.spec.ts'] } },
      {
        test: {
          name: 'e2e',
          environment: 'node',
          include: ['tests/e2e/**/*.e2e.ts'],
          testTimeout: 120_000,
          hookTimeout: 120_000,
          fileParallelism: false,
          sequence: { groupOrder: 1 }, // a browser beside the other projects on few cores would only make both slow
        },
      },
      {
        test: {
          name: 'long',
          environment: 'node',
          include: ['tests/long/**/*.long.ts'],
          testTimeout: 1_800_000,
          fileParallelism: false,
        },
      },
    ],
  },
});
