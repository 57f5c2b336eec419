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
export function tell(error: unknown): void {
  if (error instanceof PtdiffError) {
    say(messageOf(error));
    return;
  }
  const debug = Boolean(process.env.PTDIFF_DEBUG);
  const hint = debug ? '' : ' (PTDIFF_DEBUG=1 shows where)';
  say(`unexpected error: ${messageOf(error).split('\n')[0]}${hint}`);
  if (debug) console.error(error);
}

/**
 * Runs one command line and says in one sentence what went wrong, if anything did.
 * @param words the arguments, without node and script
 * @param failing is told the exit code for wrong usage and failures, where a verb has one of its own
 * @returns the exit code
 */
export async function runCommand(
  words: readonly string[],
  signal: AbortSignal,
  failing: (code: number) => void = () => {},
): Promise<number> {
  let result: number = exitCodes.pass;
  let failure: number | undefined;
  try {
    const context: VerbContext = {
      signal,
      finish: (code) => {
        result = code;
      },
      failWith: (code) => {
        failure = code;
        failing(code);
      },
    };
    const program = await commandLine(words, context);
    await program.parseAsync(words, { from: 'user' });
    return result;
  } catch (error) {
    if (!(error instanceof CommanderError || signal.aborted)) tell(error);
    const code = exitCodeOf(error, signal);
    return code === exitCodes.usage || code === exitCodes.errors ? (failure ?? code) : code;
  }
}
