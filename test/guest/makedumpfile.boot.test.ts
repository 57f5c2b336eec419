// SPDX-License-Identifier: GPL-2.0-only
/**
 * What collect reads of dumps that the real makedumpfile wrote, against what the harness reads of the
 * same guest at the same moment, from outside.
 */

import { readFileSync, rmSync } from 'node:fs';
import { dirname, join } from 'node:path';
import t, { type Test } from 'tap';
import { isDump, readDump } from '../../harness/laboratory/boards/read-dump.ts';
import { given } from '../given.ts';
import { realSetup } from '../harness/boot-setup.ts';
import { dumpMemory, guestThatSays, sameTables, walkOutside } from './dumped-guest.ts';
import { makedumpfile, writeVmcore } from './makedumpfile.ts';
import { membersOf } from './play-board.ts';

// Downloads, builds and boots take as long as they take; the test runner has a limit of its own.
t.setTimeout(0);

/** -d 31 leaves out pages of zeroes, of files, of processes, and free ones. */
const ways = [
  ...[[], ['-c'], ['-z'], ['-E']].flatMap((how) => [how, [...how, '-d', '31']]),
  ['-F', '-c', '-d', '31'],
  ['-F', '-E', '-d', '31'],
];

/** Of Debian's kernels makedumpfile 1.7.6 knows none: 52 bits of address with pages of 4K and 16K. */
const spec = 'source:7.3,config=va48,config=crash';

const archiveOf = async (path: string) => readFileSync(await readDump(path, dirname(path)));

t.test('dumps that makedumpfile wrote', { timeout: 0 }, async (t) => {
  const commandLine = 'console=ttyAMA0 cryptomgr.notests=1 -- ptdiff.end=stay';
  const setup = await realSetup(t, spec, { commandLine });
  setup.machine.memory = 256;
  t.testdir();
  const at = (name: string) => join(t.testdirName, name);
  const outside = await guestThatSays(setup, /done: waiting/, async (vm) => {
    await dumpMemory(vm, at('elf'), 'elf');
    return walkOutside(vm);
  });
  const whole = membersOf(await archiveOf(at('elf')));
  writeVmcore(at('elf'), given(whole.get('vmcoreinfo')), at('vmcore'));
  const read = async (t: Test, options: string[], from = 'vmcore') => {
    rmSync(at('made'), { force: true });
    await makedumpfile(options, at(from), at('made'));
    t.ok(await isDump(at('made')));
    const archive = await archiveOf(at('made'));
    sameTables(t, archive, outside);
    const members = membersOf(archive);
    for (const member of ['vmcoreinfo', 'variables', 'memblock'])
      t.strictSame(members.get(member), given(whole.get(member)), member);
  };
  for (const options of ways)
    await t.test(`makedumpfile ${options.join(' ')}`, (t) => read(t, options));
  await t.test('LZO is refused, and what the sentence says helps', async (t) => {
    await makedumpfile(['-l', '-d', '31'], at('vmcore'), at('lzo'));
    await t.rejects(archiveOf(at('lzo')), {
      fault: 'usage',
      message:
        /lzo: its pages are compressed with LZO, .* convert it with 'makedumpfile -c \S+lzo NEW'/,
    });
    await read(t, ['-c'], 'lzo');
  });
});
