// SPDX-License-Identifier: GPL-2.0-only
import { Command, CommanderError } from 'commander';
import { say } from '../../host/say.ts';
import { versionText } from '../../host/version.ts';
import { messageOf, PtdiffError } from '../errors.ts';
import { exitCodes } from './exit-codes.ts';
import type { VerbContext } from './verb.ts';
import { verbs } from './verbs.ts';

/**
 * The command line; every action returns the exit code. Only the requested verb is loaded and has
 * its options; for the others --help shows a one-line summary.
 * @param words the arguments, without node and script
 */
async function commandLine(words: readonly string[], context: VerbContext): Promise<Command> {
  const program = new Command('ptdiff')
    .description(
      'Boots real arm64 Linux kernels under QEMU, predicts their linear map and reports the difference.',
    )
    .exitOverride()
    .showHelpAfterError('(--help lists the commands)')
    .option('--version', 'print the version, and the commit if it is known')
    .on('option:version', () => {
      process.stdout.write(`${versionText()}\n`);
      throw new CommanderError(0, 'ptdiff.version', 'version');
    })
    .addHelpText(
      'after',
      '\nExit codes: 0 all pass or known, 1 findings, 2 wrong usage, 3 some cases ended in error\n(harness, emulator or host; 1 wins over 3), 130 interrupted.',
    );
  const asked = words.find((word) => !word.startsWith('-') && word !== 'help');
  for (const { name, about, load } of verbs) {
    const command = program.command(name).description(about);
    if (name === asked) (await load())(command, context);
  }
  return program;
}

/**
 * The first Ctrl-C ends the run in order; a second one ends it at once, together with every process
 * it started (host/process-group.ts).
 */
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

/**
 * If the reader of the output stops reading (head, less), neither the run nor its exit code
 * changes: the results are on disk. If the output cannot be written for another reason, such as a
 * full disk, that is an error.
 */
function watchOutput(): void {
  for (const stream of [process.stdout, process.stderr]) {
    stream.on('error', (error: NodeJS.ErrnoException) => {
      if (error.code === 'EPIPE' || stream === process.stderr) return;
      process.on('exit', () => {
        process.exitCode = exitCodes.errors;
      });
      say(`Cannot write to standard output: ${messageOf(error)}.`);
    });
  }
}

function exitCodeOf(error: unknown, signal: AbortSignal): number {
  if (signal.aborted) return exitCodes.interrupted;
  if (error instanceof CommanderError)
    return error.exitCode === 0 ? exitCodes.pass : exitCodes.usage;
  return error instanceof PtdiffError && error.fault === 'usage'
    ? exitCodes.usage
    : exitCodes.errors;
}

/**
 * Says in one sentence what went wrong; for a defect of ptdiff itself PTDIFF_DEBUG=1 shows where.
 */
function tell(error: unknown): void {
  if (error instanceof PtdiffError) {
    say(messageOf(error));
    return;
  }
  const debug = Boolean(process.env.PTDIFF_DEBUG);
  const hint = debug ? '' : ' (PTDIFF_DEBUG=1 shows where)';
  say(`unexpected error: ${messageOf(error).split('\n')[0]}${hint}`);
  if (debug) console.error(error);
}

/** Node's own exit code for an uncaught exception is the code for findings. */
function catchTheUnforeseen(exitCode: () => number): void {
  for (const event of ['uncaughtException', 'unhandledRejection'] as const) {
    process.on(event, (error: unknown) => {
      tell(error);
      process.exit(exitCode());
    });
  }
}

/** Runs the command line and says in one sentence what went wrong, if anything did. */
async function main(): Promise<void> {
  watchOutput();
  const { signal } = interruptible();
  let failure: number | undefined;
  catchTheUnforeseen(() => failure ?? exitCodes.errors);
  try {
    const finish = (code: number): void => {
      process.exitCode = code;
    };
    const failWith = (code: number): void => {
      failure = code;
    };
    const words = process.argv.slice(2);
    const program = await commandLine(words, { signal, finish, failWith });
    await program.parseAsync(words, { from: 'user' });
  } catch (error) {
    const code = exitCodeOf(error, signal);
    process.exitCode =
      code === exitCodes.usage || code === exitCodes.errors ? (failure ?? code) : code;
    if (error instanceof CommanderError || signal.aborted) return;
    tell(error);
  }
}

await main();
