// SPDX-License-Identifier: GPL-2.0-only
import { join, resolve } from 'node:path';
import { bisectionsFolder } from '../../harness/laboratory/bisect-state.ts';
import { bootCandidate } from '../../harness/laboratory/boot-candidate.ts';
import { timeStamp } from '../../harness/laboratory/run-record.ts';
import { checkStore, storeFile } from '../../harness/laboratory/store-file.ts';
import { answerOf, tallyOf } from '../bisect/answers.ts';
import type { Answer, Trial } from '../bisect/types.ts';
import { countText } from '../diff/text.ts';
import { plainLine } from '../report/plain-text.ts';
import { describeSign } from '../report/terminal-bisection.ts';
import { bisectRunCodes } from './exit-codes.ts';
import { addSignOptions, type SignOptions, soughtSign } from './sign-options.ts';
import type { Verb } from './verb.ts';

/** Options of `ptdiff test-commit` as typed. */
interface TestCommitOptions extends SignOptions {
  kernel: string;
  vanished?: boolean;
  out?: string;
}

/**
 * The exit code for an answer: git's old side does not have the sign or, if its disappearance is
 * sought, has it.
 */
function exitCodeOf(answer: Answer, vanished: boolean): number {
  if (answer === 'skip') return bisectRunCodes.skip;
  return (answer === 'present') === vanished ? bisectRunCodes.old : bisectRunCodes.new;
}

/** `ptdiff test-commit`: boots one kernel until it is clear whether it has the sign. */
async function testCommit(options: TestCommitOptions, signal: AbortSignal): Promise<number> {
  const { sign, scenario } = await soughtSign(options);
  const { kernel: spec, qemu, repeat } = options;
  const store = storeFile(options.store);
  await checkStore(store);
  const folder = resolve(options.out ?? join(bisectionsFolder, `test-${timeStamp()}`));
  const trials: Trial[] = [];
  for (;;) {
    const tally = tallyOf(trials, spec);
    const answer = answerOf(tally, repeat);
    if (answer !== undefined) {
      const boots = countText(tally.present + tally.absent, 'boot');
      const why =
        answer === 'skip' ? plainLine(tally.reason ?? '') : `${describeSign(sign)} in ${boots}`;
      process.stdout.write(`${spec}: ${answer}: ${why}\n`);
      return exitCodeOf(answer, options.vanished === true);
    }
    const out = join(folder, String(trials.length + 1).padStart(3, '0'));
    const request = { spec, scenario, sign, out, store, ...(qemu !== undefined && { qemu }) };
    const { outcome, reason } = await bootCandidate(request, signal);
    trials.push({
      candidate: spec,
      stage: 'search',
      outcome,
      ...(reason !== undefined && { reason }),
    });
  }
}

export const addTestCommit: Verb = (command, { signal, finish, failWith }) => {
  command
    .option('--kernel <spec>', 'as for run, once', 'git:.@HEAD')
    .option('--vanished', 'look for its disappearance: exit 0 with it, 1 without')
    .option('--out <dir>', 'folder for the results of its boots');
  addSignOptions(command)
    .addHelpText(
      'after',
      '\nExit codes: 0 does not have it, 1 has it, 125 cannot be tested, 128 error: git bisect run stops.',
    )
    .action(async (options) => finish(await testCommit(options, signal)));
  failWith(bisectRunCodes.trouble);
};
