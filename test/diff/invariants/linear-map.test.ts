// SPDX-License-Identifier: GPL-2.0-only
/** Defects of the linear map: what it holds, how it is mapped, what it promises. */
import t from 'tap';
import { ramMappedOnce } from '../../../src/diff/invariants/ram-mapped-once.ts';
import { given } from '../../given.ts';
import { checkDefects, plain, setPlain } from '../defects.ts';
import {
  bits,
  CONT,
  capability,
  KiB,
  linearOf,
  MiB,
  prot,
  RDONLY,
  rewrite,
  run,
  soundContext,
  withAttributes,
} from '../synthetic.ts';

checkDefects(t, [
  [
    'a page of RAM is not mapped',
    (context) => rewrite(context, plain(context), 4 * KiB, () => undefined),
    ['invariant/linear-map-is-ram/ram-not-mapped@init'],
  ],
  [
    'the linear region maps what is no RAM',
    (context) =>
      context.capture.ttbr1.leaves.splice(
        3,
        0,
        run(
          linearOf(context, given(context.ram[0]).end),
          given(context.ram[0]).end,
          4 * KiB,
          prot.data & ~1n,
        ),
      ),
    ['invariant/linear-map-is-ram/not-ram@init'],
  ],
  [
    'NOMAP memory is mapped',
    (context) => {
      const hole = {
        start: given(context.ram[0]).start + 40 * MiB,
        end: given(context.ram[0]).start + 41 * MiB,
      };
      context.noMap.push(hole);
      context.ram = [
        { start: given(context.ram[0]).start, end: hole.start },
        { start: hole.end, end: given(context.ram[0]).end },
      ];
    },
    ['invariant/linear-map-is-ram/not-ram@init'],
  ],
  [
    'a linear leaf points elsewhere',
    (context) =>
      rewrite(context, plain(context), 4 * KiB, (leaf) => ({ ...leaf, pa: leaf.pa + 4 * KiB })),
    ['invariant/linear-map-is-ram/wrong-address@init'],
  ],
  [
    'the linear map is executable',
    setPlain((a) => (a & ~bits.PXN) | RDONLY),
    ['invariant/linear-map-not-executable/executable@init'],
  ],
  [
    'the linear map is executable at EL0',
    setPlain((a) => (a & ~bits.UXN) | RDONLY),
    [
      'invariant/linear-map-not-executable/executable@init',
      'invariant/kernel-half-closed-to-user/user-access@init',
    ],
  ],
  [
    'the linear map is Device memory',
    setPlain((a) => a | (4n << 2n)),
    ['invariant/linear-map-memory-type/not-write-back@init'],
  ],
  [
    'a block that cannot be split under can_set_direct_map()',
    (context) =>
      rewrite(context, plain(context), 2 * MiB, (leaf) => ({
        ...withAttributes(leaf, leaf.attributes & ~2n),
        level: 2,
      })),
    ['invariant/direct-map-promise/cannot-split@init'],
  ],
  [
    'a contiguous group that cannot be split under can_set_direct_map()',
    (context) =>
      rewrite(context, plain(context), 64 * KiB, (leaf) =>
        withAttributes(leaf, leaf.attributes | CONT),
      ),
    ['invariant/direct-map-promise/cannot-split@init'],
  ],
  [
    'capable CPUs, but the boot decided that splitting is not needed',
    (context) => {
      context.capture.variables.system_cpucaps = 1n << BigInt(capability);
      context.capture.variables.linear_map_requires_bbml3 = 0n;
      rewrite(context, plain(context), 64 * KiB, (leaf) =>
        withAttributes(leaf, leaf.attributes | CONT),
      );
    },
    ['invariant/direct-map-promise/cannot-split@init'],
  ],
  [
    'a secret page stays valid',
    (context) =>
      context.evidence.probes.push({
        probe: 'memfd_secret',
        errno: 0,
        call: 'ok',
        pages: [given(context.ram[0]).start + 36 * MiB],
      }),
    ['invariant/secret-pages-invalid/valid@init'],
  ],
]);

t.test('of many holes in the linear map the first are named, and all counted', async (t) => {
  const context = soundContext();
  const hole = (index: number) => plain(context) + BigInt(index * 8 * KiB);
  for (let index = 0; index < 9; index++) rewrite(context, hole(index), 4 * KiB, () => undefined);
  const [finding, ...more] = ramMappedOnce(context);
  t.same(more, []);
  const [, text = ''] = given(finding).detail.split('\n9 holes, 36 KiB:\n');
  const lines = text.split('\n');
  t.equal(lines[0], '  PA 0x42800000-0x42801000');
  t.equal(lines.length, 9);
  t.equal(lines[8], '  … and 1 more');
});

/** A no-map region up to the middle of a page, which is mapped as a whole or not at all. */
function cutPage(checkpoint: 'paging_init' | 'init', mapped: boolean) {
  const context = soundContext({ checkpoint });
  const { start, end } = given(context.ram[0]);
  const page = end - 4 * KiB;
  context.noMap.push({ start: page, end: page + KiB });
  context.ram = [
    { start, end: page },
    { start: page + KiB, end },
  ];
  if (!mapped) rewrite(context, linearOf(context, page), 4 * KiB, () => undefined);
  return ramMappedOnce(context);
}

t.test('memory in a page that is partly no-map must be mapped while memblock has it', (t) => {
  const [found, ...others] = cutPage('paging_init', false);
  t.equal(found?.id, 'invariant/linear-map-is-ram/cut-page-not-mapped@paging_init');
  t.match(found?.detail, /1 hole, 3 KiB:\n\s+PA 0x43fff400-0x44000000/);
  t.same(others, []);
  t.same(cutPage('paging_init', true), [], 'the whole page');
  t.same(cutPage('init', false), [], 'the page allocator has whole pages only');
  t.end();
});

t.test('only memory at the border of a page counts as cut', async (t) => {
  const context = soundContext({ checkpoint: 'paging_init' });
  const { start, end } = given(context.ram[0]);
  const middle = start + 40 * MiB + KiB;
  context.ram = [
    { start, end: middle },
    { start: middle, end },
  ];
  const page = middle - KiB;
  rewrite(context, linearOf(context, page), 4 * KiB, () => undefined);
  t.match(ramMappedOnce(context), [
    { id: 'invariant/linear-map-is-ram/ram-not-mapped@paging_init', detail: /1 hole, 4 KiB:/ },
  ]);
  // Both ends of a region, in two pages.
  context.ram = [{ start: start + 3 * KiB, end: middle }];
  rewrite(context, linearOf(context, start), 4 * KiB, () => undefined);
  const cut = ramMappedOnce(context).find(({ id }) => id.includes('/cut-page-not-mapped@'));
  t.match(
    cut?.detail,
    /2 holes, 2 KiB:\n\s+PA 0x40000c00-0x40001000\n\s+PA 0x42800000-0x42800400$/,
  );
});

t.test('without memstart_addr nobody knows which memory the linear map shows', async (t) => {
  const context = soundContext();
  rewrite(context, plain(context), 4 * KiB, () => undefined);
  t.equal(ramMappedOnce(context).length, 1);
  const { start, end } = context.linear;
  t.same(ramMappedOnce({ ...context, linear: { start, end } }), []);
});

t.test('a finding counts the leaves and the bytes of all runs', async (t) => {
  const context = soundContext();
  for (const at of [0n, 0x10_0000n])
    rewrite(context, plain(context) + at, 32 * KiB, (leaf) => ({ ...leaf, pa: leaf.pa + 4 * KiB }));
  t.match(ramMappedOnce(context), [{ detail: /\n16 leaves, 64 KiB:\n/ }]);
});

t.test('of a board, what never held still may be missing, and nothing beside it', async (t) => {
  const context = soundContext();
  rewrite(context, plain(context), 8 * KiB, () => undefined);
  t.match(ramMappedOnce(context), [{ detail: /1 hole, 8 KiB:/ }]);
  const start = plain(context);
  const unsettled = (bytes: number) => {
    const evidence = { ...context.evidence, unsettled: [{ start, end: start + BigInt(bytes) }] };
    return ramMappedOnce({ ...context, evidence });
  };
  t.match(unsettled(4 * KiB), [{ detail: /1 hole, 4 KiB:/ }]);
  t.same(unsettled(8 * KiB), []);
});
