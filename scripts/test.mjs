// npm test [-- FILTER…]: builds, runs every vitest project, and ends with one line `N passed, M failed`.
import './check-node.mjs';

const { test } = await import('./lib/test.ts');
process.exitCode = await test(process.argv.slice(2));
