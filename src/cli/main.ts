import { Argument, Command, CommanderError, InvalidArgumentError } from 'commander';
import { messageOf, PtdiffError } from '../errors.ts';
import { exitCodes } from './exit-codes.ts';
import { list, listable } from './list.ts';
import { say } from './output.ts';
import { predictCommand } from './predict.ts';
import { publishReport } from './publish-report.ts';
import { run } from './run.ts';
import { defaultJobs } from './run-case.ts';
import { show } from './show.ts';
import { walkCommand } from './walk.ts';

const collect = (value: string, previous: string[]): string[] => [...previous, value];

function positiveInteger(value: string): number {
  const number = Number(value);
  if (!Number.isInteger(number) || number < 1 || number > 1024)
    throw new InvalidArgumentError('It must be a number from 1 to 1024.');
  return number;
}

/** The command line; every action answers with the exit code. */
function commandLine(signal: AbortSignal, finish: (code: number) => void): Command {
  const program = new Command('ptdiff')
    .description('Boots real arm64 Linux kernels under QEMU, predicts their linear map and reports the difference.')
    .exitOverride()
    .showHelpAfterError('(--help shows what there is)')
    .addHelpText(
      'after',
      '\nExit codes: 0 all pass or known, 1 findings, 2 wrong usage, 3 some cases ended in error\n(harness, emulator or host; 1 wins over 3), 130 interrupted.',
    );
  program
    .command('run')
    .description('predict, boot and compare; without options the default matrix')
    .option(
      '--kernel <spec>',
      'debian:7.3.4, debian:6.18, debian:7.3.4:16k, debian:latest or file:PATH[,config=PATH]; may be repeated',
      collect,
      [],
    )
    .option(
      '--scenario <name|file>',
      "a scenario of 'ls scenarios', a YAML or JSON file, or all; may be repeated",
      collect,
      [],
    )
    .option('--jobs <n>', "cases at the same time (default: the host's cores)", positiveInteger, defaultJobs())
    .option('--out <dir>', 'folder for the results; a run that was cut short there goes on')
    .option('--json', 'print the results as JSON')
    .option('--qemu <path>', 'a QEMU of your own instead of the pinned one')
    .option('--dry-run', 'print the cases and do nothing')
    .action(async (options) => finish(await run(options, signal)));
  program
    .command('predict')
    .description("the model's answer without a boot, with its derivation")
    .requiredOption('--kernel <spec>', 'as for run')
    .requiredOption('--scenario <name|file>', 'as for run')
    .option('--qemu <path>', 'as for run')
    .option('--json', 'print the prediction as JSON')
    .action(async (options) => finish(await predictCommand(options)));
  program
    .command('ls')
    .description('list what there is')
    .addArgument(new Argument('<what>').choices(listable))
    .action(async (what) => finish(await list(what)));
  program
    .command('show')
    .description('one case: verdict, decisions, findings, derivation')
    .argument('<case>', 'its name in the newest run, or its folder')
    .option('--out <dir>', 'the run folder')
    .option('--json', 'print its result as JSON')
    .action(async (name, options) => finish(await show(name, options)));
  program
    .command('report')
    .description('write report.html of a run folder again and print its summary')
    .argument('<dir>', 'the run folder')
    .option('--json', 'print the results as JSON')
    .action(async (folder, options) =>
      finish(await publishReport(folder, { json: options.json === true, interrupted: false })),
    );
  program
    .command('walk')
    .description('walk the page tables of any running QEMU from outside, and print them')
    .requiredOption('--ram <file>', "the guest's RAM: mem-path of its memory-backend-file (share=on)")
    .requiredOption('--gdb <socket>', "its GDB stub: a unix socket's path, or HOST:PORT")
    .option('--base <address>', 'physical address of the first byte of the file', '0x40000000')
    .option('--half <ttbr>', 'ttbr1 (kernel) or ttbr0 (user)', 'ttbr1')
    .option('--cpu <n>', 'index of the CPU whose registers count', '0')
    .action(async (options) => finish(await walkCommand(options)));
  return program;
}

/** Ctrl-C ends the run in order; a second one ends it at once. */
function interruptible(): AbortController {
  const controller = new AbortController();
  for (const name of ['SIGINT', 'SIGTERM'] as const) {
    process.on(name, () => {
      if (controller.signal.aborted) process.exit(exitCodes.interrupted);
      say('stopping; results so far are kept (again to stop at once)');
      controller.abort(new Error('interrupted'));
    });
  }
  return controller;
}

function exitCodeOf(error: unknown, signal: AbortSignal): number {
  if (signal.aborted) return exitCodes.interrupted;
  if (error instanceof CommanderError) return error.exitCode === 0 ? exitCodes.pass : exitCodes.usage;
  return error instanceof PtdiffError && error.fault === 'usage' ? exitCodes.usage : exitCodes.errors;
}

/** Runs the command line and says in one sentence what went wrong, if something did. */
async function main(): Promise<void> {
  const { signal } = interruptible();
  try {
    await commandLine(signal, (code) => {
      process.exitCode = code;
    }).parseAsync();
  } catch (error) {
    process.exitCode = exitCodeOf(error, signal);
    if (error instanceof CommanderError || signal.aborted) return;
    say(messageOf(error));
    if (!(error instanceof PtdiffError) && process.env.PTDIFF_DEBUG) console.error(error);
  }
}

await main();
