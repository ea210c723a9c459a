/**
 * The command line (design, section 8). Answers go to stdout, progress and problems to stderr; exit 0 done, 1 failed, 2 bad input, 3 deadlock.
 *
 * Start it through npm (`npm run -s blklab -- …`), which brings a fitting Node and checks it before this file is read.
 */
import { Command, CommanderError, InvalidArgumentError } from 'commander';
import { jsonSchema } from '../core/experiment/definition.ts';
import { loadDefinition } from './cli/definition-file.ts';
import { exportCommand, type ExportFlags } from './cli/export-command.ts';
import { type ImageFlags, imageMediumCommand } from './cli/image-command.ts';
import { EXIT, problemLine, reportError } from './cli/problems.ts';
import { runCommand, type RunFlags } from './cli/run-command.ts';
import { scenariosJson, scenariosText } from './cli/scenarios-command.ts';
import { APP_VERSION } from './version.ts';

function wholeNumber(text: string): number {
  const value = Number(text);
  if (!/^\d+$/.test(text) || !Number.isSafeInteger(value)) throw new InvalidArgumentError('must be a whole number.');
  return value;
}

const collect = (value: string, all: readonly string[]): readonly string[] => [...all, value];

function validateCommand(file: string): number {
  const { problems } = loadDefinition(file, { set: [] });
  for (const problem of problems) process.stdout.write(`${problemLine(file, problem)}\n`);
  if (problems.some((problem) => problem.severity === 'error')) return EXIT.badInput;
  process.stdout.write(`${file}: valid\n`);
  return EXIT.done;
}

function program(end: (code: number) => void): Command {
  const root = new Command('blklab')
    .description('Deterministic, virtual-time emulation of the Linux block stack and its storage hardware.')
    .version(APP_VERSION)
    .exitOverride()
    .configureOutput({ outputError: (text, write) => write(text.replace(/^error: /, 'blklab: ')) });
  root
    .command('run <file>')
    .description(
      'run a definition (.json), a fio job file on the default UFS phone, or a scenario (SLUG:VARIANT, or SLUG for all its variants)',
    )
    .option('--set <path=value>', 'change one value of the definition; may be repeated', collect, [])
    .option('--seed <n>', 'seed of the random streams', wholeNumber)
    .option('--project <path>', 'record every request into this project file')
    .option('--csv <folder>', 'write every table of the run as CSV')
    .option('--json', 'print the summary object instead of text')
    .option('--quiet', 'no progress, no warnings')
    .action(async (file: string, flags: RunFlags) => end(await runCommand(file, flags)));
  root
    .command('validate <file>')
    .description('list every problem of a definition or job file')
    .action((file: string) => end(validateCommand(file)));
  root
    .command('scenarios')
    .description('list the scenarios that come with the program')
    .option('--json', 'print a list of objects instead of text')
    .action((flags: { json?: boolean }) => {
      process.stdout.write(flags.json === true ? scenariosJson() : scenariosText());
    });
  root
    .command('schema')
    .description('print the JSON Schema of definitions')
    .action(() => {
      process.stdout.write(`${JSON.stringify(jsonSchema(), null, 2)}\n`);
    });
  root
    .command('export <project>')
    .description('write a recorded run as files')
    .requiredOption('--run <id>', 'id of the run', wholeNumber)
    .requiredOption('--format <name>', 'csv')
    .requiredOption('--out <folder>', 'folder for the files')
    .option('--where <condition>', 'only I/Os for which this SQL condition over the columns of io holds')
    .action(async (project: string, flags: ExportFlags) => end(await exportCommand(project, flags)));
  root
    .command('image')
    .description('raw images of devices')
    .command('medium <file>')
    .description(
      'run a definition with data (as run does; SLUG:VARIANT of a scenario) and write what its medium holds at the end',
    )
    .requiredOption('--out <path>', 'the image: a sparse file of the size of the device')
    .option('--set <path=value>', 'change one value of the definition; may be repeated', collect, [])
    .option('--seed <n>', 'seed of the random streams', wholeNumber)
    .option('--project <path>', 'record every request into this project file')
    .option('--json', 'print the summary object instead of text')
    .option('--quiet', 'no progress, no warnings')
    .action(async (file: string, flags: ImageFlags) => end(await imageMediumCommand(file, flags)));
  root
    .command('serve [project]')
    .description('open the workbench in a browser on this machine')
    .option('--port <n>', 'port to listen on; default: any free one', wholeNumber)
    .action(async (project: string | undefined, flags: { port?: number }) => {
      const { serveUntilSignal } = await import('./serve.ts');
      await serveUntilSignal({ project, port: flags.port ?? 0 });
    });
  return root;
}

let code: number = EXIT.done;
try {
  await program((result) => (code = result)).parseAsync();
} catch (error) {
  // commander has said what is wrong already; help and version are no errors
  if (error instanceof CommanderError) code = error.exitCode === 0 ? EXIT.done : EXIT.badInput;
  else code = reportError(error);
}
process.exitCode = code;
