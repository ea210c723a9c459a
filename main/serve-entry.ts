/** Entry of the bundled browser host (`out/main/serve.js [PROJECT] [--port N]`), which `npm start` falls back to. */
import { parseArgs } from 'node:util';
import { reportError } from './cli/problems.ts';
import { serveUntilSignal } from './serve.ts';

try {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: { port: { type: 'string', default: '0' } },
  });
  await serveUntilSignal({ project: positionals[0], port: Number(values.port) });
} catch (error) {
  process.exitCode = reportError(error);
}
