// SPDX-License-Identifier: GPL-2.0-only
/**
 * What collect reads of dumps that the real makedumpfile wrote, against what the harness reads of the
 * same guest at the same moment, from outside.
 */

import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { execa } from 'execa';
import t, { type Test } from 'tap';
import { buildCollect } from '../../guest/build-collect.ts';
import { isDump, readDump } from '../../harness/laboratory/boards/read-dump.ts';
import { given } from '../given.ts';
import { realSetup } from '../harness/boot-setup.ts';
import { numbersOf } from '../random.ts';
import { buildCompressedPages } from './compressed-pages.ts';
import { dumpMemory, guestThatSays, sameTables, walkOutside } from './dumped-guest.ts';
import { kdumpPages, packWithSnappy } from './kdump-file.ts';
import { makedumpfile, writeVmcore } from './makedumpfile.ts';
import { membersOf } from './play-board.ts';

// Downloads, builds and boots take as long as they take; the test runner has a limit of its own.
t.setTimeout(0);

/** -d 31 leaves out pages of zeroes, of files, of processes, and free ones. */
const ways = [
  ...[[], ['-c'], ['-l'], ['-z'], ['-E']].flatMap((how) => [how, [...how, '-d', '31']]),
  ['-F', '-c', '-d', '31'],
  ['-F', '-l', '-d', '31'],
  ['-F', '-E', '-d', '31'],
];

/** Of Debian's kernels makedumpfile 1.7.6 knows none: 52 bits of address with pages of 4K and 16K. */
const spec = 'source:7.3,config=va48,config=crash';

const archiveOf = async (path: string) => readFileSync(await readDump(path, dirname(path)));

/** A dump with bits flipped in some of its pages, from a few to one in ten: read, or refused. */
async function damagedPages(t: Test, path: string): Promise<void> {
  const numbers = numbersOf(31);
  const { path: program } = await buildCollect({ target: 'host' });
  const whole = readFileSync(path);
  const pages = kdumpPages(whole).filter(({ flags }) => flags !== 0);
  t.ok(pages.length > 1000, `${pages.length} compressed pages`);
  const ends = { read: 0, refused: 0 };
  for (let turn = 0; turn < 16; turn++) {
    const damaged = Buffer.from(whole);
    const share = 10 ** -(1 + (turn % 4));
    for (const { offset, bytes } of pages) {
      if (numbers() >= share) continue;
      const at = offset + Math.floor(numbers() * bytes);
      damaged.writeUInt8((damaged[at] ?? 0) ^ (1 << (numbers() * 8)), at);
    }
    writeFileSync(`${path}.damaged`, damaged);
    const { exitCode, stderr } = await execa(program, ['--core', `${path}.damaged`, '--dry-run'], {
      reject: false,
    });
    t.ok(exitCode === 0 || exitCode === 1, `turn ${turn}: ${stderr}`);
    if (exitCode === 1) t.match(stderr, /^(collect: [^\n]+\n?)+$/);
    if (/the page at 0x[0-9a-f]+ is damaged: copy the dump again\./.test(stderr)) ends.refused++;
    else ends.read++;
  }
  t.ok(ends.refused > 4, JSON.stringify(ends));
}

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
  const sameAsWhole = async (t: Test, dump: string) => {
    t.ok(await isDump(dump));
    const archive = await archiveOf(dump);
    sameTables(t, archive, outside);
    const members = membersOf(archive);
    for (const member of ['vmcoreinfo', 'variables', 'memblock'])
      t.strictSame(members.get(member), given(whole.get(member)), member);
  };
  for (const options of ways)
    await t.test(`makedumpfile ${options.join(' ')}`, async (t) => {
      rmSync(at('made'), { force: true });
      await makedumpfile(options, at('vmcore'), at('made'));
      await sameAsWhole(t, at('made'));
    });
  await t.test('pages that are compressed with Snappy', async (t) => {
    // Debian's makedumpfile is built without it.
    await buildCompressedPages(at('pack'));
    await makedumpfile(['-d', '31'], at('vmcore'), at('plain'));
    await packWithSnappy(at('pack'), at('plain'), at('snappy'));
    await sameAsWhole(t, at('snappy'));
  });
  await t.test('pages that are damaged', async (t) => {
    await makedumpfile(['-l', '-d', '31'], at('vmcore'), at('lzo'));
    for (const name of ['lzo', 'snappy']) await damagedPages(t, at(name));
  });
});
