// SPDX-License-Identifier: GPL-2.0-only
import { say } from '../../host/say.ts';
import { messageOf } from '../errors.ts';
import { runCommand, tell } from './command-line.ts';
import { exitCodes } from './exit-codes.ts';

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

/** Node's own exit code for an uncaught exception is the code for findings. */
function catchTheUnforeseen(exitCode: () => number): void {
  for (const event of ['uncaughtException', 'unhandledRejection'] as const) {
    process.on(event, (error: unknown) => {
      tell(error);
      process.exit(exitCode());
    });
  }
}

/** Runs the command line of this process. */
async function main(): Promise<void> {
  watchOutput();
  const { signal } = interruptible();
  let failure: number | undefined;
  catchTheUnforeseen(() => failure ?? exitCodes.errors);
  process.exitCode = await runCommand(process.argv.slice(2), signal, (code) => {
    failure = code;
  });
}

await main();
