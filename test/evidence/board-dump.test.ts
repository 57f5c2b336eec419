// SPDX-License-Identifier: GPL-2.0-only
import t from 'tap';
import { type DumpedBoard, dumpedBoard } from '../../src/evidence/board-dump.ts';
import { readBoard } from '../../src/evidence/read-board.ts';
import { given } from '../given.ts';
import { dumpMembers } from '../harness/laboratory/boards/dump-archive.ts';
import { numbersOf } from '../random.ts';

function read(members: Map<string, Buffer>): DumpedBoard {
  return dumpedBoard(readBoard(members), 'board.tar.gz');
}

t.test('pages, widths and places are read from the dump itself', (t) => {
  for (const name of ['a76', 'v3']) {
    const board = read(dumpMembers(name));
    t.match(board, { release: '7.3.4', granule: 4096, vaBits: 48 });
    t.same(board.linear, { start: 0xffff_0000_0000_0000n, end: 0xffff_8000_0000_0000n });
    t.equal(board.vaMinusPa, 0xffff_0000_0000_0000n - 2n ** 30n);
    const [lowest] = board.leaves;
    t.match(lowest, { va: 0xffff_0000_0000_0000n, pa: 2 ** 30, valid: true });
  }
  const levels = new Set(read(dumpMembers('v3')).leaves.map(({ level }) => level));
  t.same([...levels].sort(), [2, 3]);
  t.end();
});

t.test('where the linear map lies is known only where /proc/iomem fits to it', (t) => {
  const placeWith = (iomem: string) =>
    read(dumpMembers('a76').set('iomem', Buffer.from(iomem))).vaMinusPa;
  t.equal(placeWith('00000000-00000000 : System RAM\n'), undefined, 'hidden addresses');
  t.equal(placeWith(''), undefined);
  t.equal(placeWith('40000000-83fffffff : System RAM\n'), undefined, 'another machine');
  const place = 0xffff_0000_0000_0000n - 2n ** 30n;
  const rest = '40000000-47ffffff : System RAM\n';
  t.equal(placeWith(rest), place);
  t.equal(placeWith(`${rest}100000000-100ffffff : System RAM (kmem)\n`), place);
  t.end();
});

t.test('a page of the lowest memory that is missing does not move the rest', (t) => {
  const board = read(
    dumpMembers('a76', (dump) =>
      dump.replace(
        '0xffff000000000000-0xffff000000200000           2M PTE       RW',
        `0xffff000000000000-0xffff000000001000           4K PTE\n0xffff000000001000-0xffff000000200000        2044K PTE       RW`,
      ),
    ),
  );
  t.equal(board.vaMinusPa, 0xffff_0000_0000_0000n - 2n ** 30n);
  t.match(board.leaves[0], { pa: 2 ** 30 + 4096 });
  t.end();
});

t.test('a page below all memory does not move the rest', (t) => {
  const iomem = Buffer.from('40001000-47ffffff : System RAM\n');
  const board = read(dumpMembers('a76').set('iomem', iomem));
  t.equal(board.vaMinusPa, 0xffff_0000_0000_0000n - 2n ** 30n);
  t.end();
});

t.test('a dump that is damaged is one sentence', (t) => {
  const told = (change: (dump: string) => string, sentence: RegExp) =>
    t.throws(() => read(dumpMembers('a76', change)), {
      fault: 'usage',
      message: new RegExp(`^board.tar.gz: The archive is damaged: ${sentence.source}; collect it`),
    });
  told(
    (dump) => dump.slice(0, 2000),
    /line \d+ of kernel_page_tables is none of the kernel's dump/,
  );
  told((dump) => `${dump.split('\n').slice(0, 9).join('\n')}\n`, /kernel_page_tables is cut short/);
  told(() => '', /kernel_page_tables is cut short/);
  told((dump) => dump + dump, /kernel_page_tables goes back at 0xffff000000000000/);
  told(
    (dump) => dump.replace('Linear Mapping end', 'Something else'),
    /kernel_page_tables has no 'Linear Mapping end'/,
  );
  told(
    (dump) => dump.replaceAll('0xffff000000200000', '0xffff000000200800'),
    /the leaves at 0xffff000000000000 in kernel_page_tables begin or end within an entry/,
  );
  t.throws(() => read(dumpMembers('a76').set('version', Buffer.from('no kernel\n'))), {
    message: /version does not name a release/,
  });
  t.end();
});

t.test('a dump with a character changed is read, or is one sentence', (t) => {
  const number = numbersOf(15);
  const below = (limit: number): number => Math.floor(number() * limit);
  const told = { read: 0, refused: 0 };
  const name = (): string => given(['kernel_page_tables', 'iomem', 'version'][below(3)]);
  for (let round = 0; round < 400; round++) {
    const members = dumpMembers(round % 2 ? 'a76' : 'v3');
    const member = round % 4 === 0 ? name() : 'kernel_page_tables';
    const bytes = Buffer.from(given(members.get(member)));
    const at = below(bytes.length);
    bytes[at] = given([below(256), 48 + below(10), 97 + below(6)][below(3)]);
    members.set(member, below(10) === 0 ? bytes.subarray(0, at) : bytes);
    try {
      read(members);
      told.read++;
    } catch (error) {
      t.match(error, { fault: 'usage', message: /^board\.tar\.gz: [ -~…]+\.$/ });
      told.refused++;
    }
  }
  t.ok(told.read > 20 && told.refused > 200, JSON.stringify(told));
  t.end();
});
