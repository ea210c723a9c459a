// npm run demo: one fio job file on the emulated phone, from job file to latency table, project file and CSV files.
import './check-node.mjs';

const { demo } = await import('./lib/demo.ts');
process.exitCode = await demo();
