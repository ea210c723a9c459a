// npm start [-- PROJECT] [--browser] [--port N]: the workbench, as a desktop window where that is possible, else in a browser.
import './check-node.mjs';

const { start } = await import('./lib/start.ts');
process.exitCode = await start(process.argv.slice(2));
