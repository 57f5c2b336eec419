// SPDX-License-Identifier: GPL-2.0-only
import fc from 'fast-check';
import t from 'tap';
import type { LinearMapSizes } from '../../src/diff/types.ts';
import { linearMapSizes } from '../../src/linux/leaf-kind.ts';
import { parseDirectMap } from '../../src/linux/meminfo.ts';
import { type FleetBoard, fleetOf } from '../../src/report/fleet.ts';
import { fleetLines } from '../../src/report/terminal-fleet.ts';
import { anyCharacter } from '../any-character.ts';
import { SplitBoard } from '../diff/split-history/board.ts';
import { given } from '../given.ts';

const GiB = 2 ** 30;
const none: LinearMapSizes = { page: 0, contPte: 0, pmd: 0, contPmd: 0, pud: 0, invalid: 0 };

function board(changes: Partial<FleetBoard> = {}): FleetBoard {
  return {
    label: 'one',
    release: '7.3.4',
    granule: 4096,
    uptime: 60,
    grade: 'exact',
    splits: 0,
    actual: { ...none, pud: 4 * GiB },
    predicted: { ...none, pud: 4 * GiB },
    ...changes,
  };
}

t.test('each leaf, or contiguous group, is one TLB entry', async (t) => {
  const actual = { page: 65536, contPte: 2 ** 17, pmd: 2 ** 22, contPmd: 2 ** 26, pud: 3 * GiB };
  const [row] = fleetOf([board({ actual: { ...actual, invalid: 4096 } })]).rows;
  t.equal(given(row).entries, 16 + 2 + 2 + 2 + 3);
  t.equal(given(row).entriesAtBoot, 4);
  t.equal(given(row).factor, 25 / 4);
  const sixteen = fleetOf([board({ granule: 16384, actual: { ...none, contPte: 2 ** 22 } })]);
  t.equal(given(sixteen.rows[0]).entries, 2, '2 MiB are a group of 16K pages');
});

t.test('a machine that was split needs more entries than at its boot', async (t) => {
  const machine = new SplitBoard('7.3.4+deb13-arm64@neoverse-v3-r0p2+8g');
  const { va } = given(machine.predicted.leaves.find(({ level }) => level === 1));
  const split = machine.after([{ start: va + 4096n, end: va + 8192n }]);
  const [row] = fleetOf([
    board({
      predicted: linearMapSizes(machine.predicted.leaves),
      actual: linearMapSizes(split.leaves),
    }),
  ]).rows;
  // One PUD becomes 31 groups of PMDs, 15 PMDs, 31 groups of PTEs and 16 pages.
  t.equal(given(row).entries - given(row).entriesAtBoot, 31 + 15 + 31 + 16 - 1);
});

t.test('machines are ordered by uptime, and those of an age are one line', async (t) => {
  const day = 86_400;
  const split = { ...none, page: 2 * GiB, pud: 2 * GiB };
  const { rows, ages } = fleetOf([
    board({ label: 'dump', uptime: null }),
    board({ label: 'old', uptime: 40 * day, actual: split }),
    board({ label: 'new' }),
    board({ label: 'older', uptime: 400 * day, actual: { ...none, page: 4 * GiB } }),
  ]);
  t.same(
    rows.map(({ label }) => label),
    ['new', 'old', 'older', 'dump'],
  );
  t.match(ages, [
    { name: 'below 1 hour', boards: 1, factor: 1, shares: { pud: 1, page: 0 } },
    { name: '30 days and more', boards: 2, shares: { pud: 0.25, page: 0.75 } },
  ]);
  t.equal(given(ages[1]).factor, (given(rows[1]).factor + given(rows[2]).factor) / 2);
  const lines = fleetLines({ rows, ages });
  t.match(lines[1], /^new +1 min 00 s +100\.0 +- +- +- +- +4 +1\.00$/);
  t.match(lines.join('\n'), /30 days and more +2 +25\.0 /);
});

t.test("the kernel's own count is held against its tables", async (t) => {
  const meminfo = (page: number) =>
    `MemTotal: 1 kB\nDirectMap4K: ${String(page).padStart(8)} kB\nDirectMap1G:  4194304 kB\n`;
  t.same(
    [...parseDirectMap(meminfo(12))],
    [
      [4096, 12288],
      [GiB, 4 * GiB],
    ],
  );
  const actual = { ...none, page: 8192, pud: 4 * GiB, invalid: 4096 };
  const differs = (page: number) =>
    given(fleetOf([board({ actual, meminfo: meminfo(page) })]).rows[0]).directMap;
  t.same(differs(8), []);
  t.same(differs(12), [], 'it counts what is not valid');
  t.same(differs(16), [{ kind: 'page', counted: 16384, found: 8192 }]);
  t.same(differs(4), [{ kind: 'page', counted: 4096, found: 8192 }]);
  const [silent] = fleetOf([board({ meminfo: 'MemTotal: 1 kB\n' })]).rows;
  t.equal(given(silent).directMap, undefined, 'kernels that have no such lines');
  const lines = fleetLines(fleetOf([board({ actual, meminfo: meminfo(16) })])).join('\n');
  t.match(lines, /one: DirectMap counts 16 KiB in leaves of kind PTE, and the tables have 8 KiB/);
});

t.test('no line is longer than a terminal, whatever a machine is called', async (t) => {
  fc.assert(
    fc.property(
      fc.array(
        fc.record({
          label: fc.string({ unit: anyCharacter }),
          uptime: fc.oneof(fc.constant(null), fc.double({ min: 0, max: 1e9, noNaN: true })),
          bytes: fc.nat(2 ** 30),
        }),
        { minLength: 1, maxLength: 10 },
      ),
      (machines) => {
        const fleet = fleetOf(
          machines.map(({ label, uptime, bytes }) =>
            board({ label, uptime, actual: { ...none, page: bytes * 4096 } }),
          ),
        );
        const long = fleetLines(fleet).find((line) => line.length > 100 || /\p{Cc}/u.test(line));
        if (long !== undefined) throw new Error(long);
      },
    ),
    { seed: 15 },
  );
  t.pass('each fits');
});
