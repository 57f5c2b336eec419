// SPDX-License-Identifier: GPL-2.0-only
import { pathToFileURL } from 'node:url';
import t from 'tap';
import { installMutants, keepMutant, mutantsOf, recordVisits, withMutantAsync } from './install.ts';

/*
 * Runs one test file again and again in one process, which is ten times as fast as a process for
 * each: every import under another URL runs its tests anew, while the modules that it tests stay,
 * with all mutants in them.
 *
 *     node test-server.ts TEST KEPT FILES…
 *
 * KEPT is the number of a mutant that is in force from the first import on, or -1.
 */

/** What it is asked: to run the tests with a mutant in force, or with none. */
export type ServerRequest = { mutant?: number };
/** What it answers. */
export interface ServerAnswer {
  passed: boolean;
  /** The tests ran; where an import fails they did not even begin. */
  ran: boolean;
  /** With no mutant in force: whose places were passed, the imports' included. */
  visited?: number[];
}

const [test = '', kept = '-1', ...files] = process.argv.slice(2);
installMutants(mutantsOf(files));
keepMutant(Number(kept));
const visited = recordVisits();
let runs = 0;

async function runTests(): Promise<ServerAnswer> {
  const before = t.counts.fail;
  try {
    await import(`${pathToFileURL(test)}?${runs++}`);
  } catch {
    return { passed: false, ran: false };
  }
  // Tests run in their order: this one is the last.
  await t.test('the end of this run', async () => {});
  return { passed: t.counts.fail === before, ran: true };
}

process.on('message', async ({ mutant }: ServerRequest) => {
  const answer = mutant === undefined ? await runTests() : await withMutantAsync(mutant, runTests);
  const all = mutant === undefined ? { visited: [...visited] } : {};
  process.send?.({ ...answer, ...all });
});

// tap does not let the channel keep a process running: between two requests this one would end, and
// what it was asked meanwhile would have failed, whatever the mutant. It ends with its parent.
setInterval(() => {}, 2 ** 30);
process.on('disconnect', () => process.exit());
