// SPDX-License-Identifier: GPL-2.0-only
import t from 'tap';
import type { CheckpointContext } from '../../src/diff/context.ts';
import { guestDump } from '../../src/diff/invariants/guest-dump.ts';
import { given } from '../given.ts';
import { ptdumpAddress, ptdumpColumns } from '../linux/written-ptdump.ts';
import {
  KiB,
  linearOf,
  MiB,
  NG,
  prot,
  rewrite,
  run,
  soundContext,
  vmalloc,
  withAttributes,
} from './synthetic.ts';

/**
 * The dump that arch/arm64/mm/ptdump.c would write of the context's leaves: pages, or blocks of a
 * root table.
 */
function dumpOf({ capture }: CheckpointContext): string {
  const lines = capture.ttbr1.leaves.map(({ va, size, level, attributes }) => {
    // Index 0 is Normal in the synthetic MAIR as in Linux's.
    const range = `${ptdumpAddress(va)}-${ptdumpAddress(va + BigInt(size))}`;
    const name = level === 3 ? 'PTE' : 'PGD';
    return `${range} ${String(size / KiB).padStart(11)}K ${name} ${ptdumpColumns(attributes)}`;
  });
  return `---[ Linear Mapping start ]---\n${lines.join('\n')}\n0x${'f'.repeat(13)}000-0x${'0'.repeat(16)}           4K PTE\n`;
}

/** A sound boot with its own dump; then the tables change behind the dump's back. */
function findingsAfter(change: (context: CheckpointContext) => void) {
  const context = soundContext();
  context.evidence.files.kernel_page_tables = dumpOf(context);
  change(context);
  return guestDump(context);
}
const idsAfter = (change: (context: CheckpointContext) => void): string[] =>
  findingsAfter(change).map(({ id }) => id);

const plain = (context: CheckpointContext) =>
  linearOf(context, given(context.ram[0]).start + 40 * MiB);
const invalidate = (context: CheckpointContext) =>
  rewrite(context, plain(context), 8 * KiB, (leaf) =>
    withAttributes(leaf, (leaf.attributes & ~1n) | NG),
  );

t.test('a dump that agrees, and no dump at all', (t) => {
  t.same(
    idsAfter(() => {}),
    [],
  );
  t.same(guestDump(soundContext()), []);
  t.end();
});

t.test('a dump that differs', (t) => {
  t.same(idsAfter(invalidate), ['invariant/guest-dump/valid+notGlobal@init']);
  const change = (make: Parameters<typeof rewrite>[3]) =>
    idsAfter((context) => rewrite(context, plain(context), 4 * KiB, make));
  t.same(
    change((leaf) => withAttributes(leaf, prot.readOnly)),
    ['invariant/guest-dump/readOnly@init'],
  );
  t.same(
    change((leaf) => ({ ...leaf, level: 2 })),
    ['invariant/guest-dump/level@init'],
  );
  t.same(
    change(() => undefined),
    ['invariant/guest-dump/only-in-dump@init'],
  );
  t.same(
    idsAfter((context) => {
      context.capture.ttbr1.leaves.splice(
        3,
        0,
        run(linearOf(context, given(context.ram[0]).end), 0, 4 * KiB, prot.data),
      );
    }),
    ['invariant/guest-dump/not-in-dump@init'],
  );
  t.end();
});

t.test('each kind of difference is a finding, in the order of their names', async (t) => {
  const change =
    (page: number, make: Parameters<typeof rewrite>[3]) => (context: CheckpointContext) =>
      rewrite(context, plain(context) + BigInt(page * 4 * KiB), 4 * KiB, make);
  const changes = [
    change(0, (leaf) => withAttributes(leaf, prot.readOnly)),
    change(2, (leaf) => ({ ...leaf, level: 2 })),
    change(4, () => undefined),
  ];
  t.same(
    idsAfter((context) => {
      for (const each of changes) each(context);
    }),
    ['level', 'only-in-dump', 'readOnly'].map((nature) => `invariant/guest-dump/${nature}@init`),
  );
});

t.test('a finding shows both sides of each stretch, in the words of the dump', async (t) => {
  const [finding, ...more] = findingsAfter((context) => {
    rewrite(context, plain(context), 8 * KiB, (leaf) => withAttributes(leaf, prot.readOnly));
    const { _data } = context.image.symbols;
    rewrite(context, _data, 4 * KiB, (leaf) => withAttributes(leaf, prot.readOnly));
  });
  t.same(more, []);
  const words = 'pxn shared accessed uxn MEM/NORMAL';
  t.same(given(finding).detail.split('\n'), [
    "The kernel's own dump and the walk from outside differ (2 stretches):",
    `  walk: 0xffff000002800000-0xffff000002802000 PTE valid readOnly ${words}`,
    `  dump: 0xffff000002800000-0xffff000002802000 PTE valid ${words}`,
    `  walk: 0xffff800080200000-0xffff800080201000 PTE valid readOnly ${words}`,
    `  dump: 0xffff800080200000-0xffff800080201000 PTE valid ${words}`,
  ]);
  const context = soundContext();
  const split = soundContext();
  rewrite(split, plain(split), 4 * KiB, (leaf) => withAttributes(leaf, prot.readOnly));
  context.evidence.files.kernel_page_tables = dumpOf(split);
  t.same(
    given(guestDump(context)[0]).detail.split('\n').slice(1),
    [
      `  walk: 0xffff000002800000-0xffff000002801000 PTE valid ${words}`,
      `  dump: 0xffff000002800000-0xffff000002801000 PTE valid readOnly ${words}`,
    ],
    'and of a stretch that is whole in the tables, the part that differs',
  );
  const [gone] = findingsAfter((context) =>
    rewrite(context, plain(context), 4 * KiB, () => undefined),
  );
  t.match(gone?.detail, /differ \(1 stretch\):\n {2}walk: nothing\n {2}dump: 0x/);
});

t.test('the last stretch may be missing on one side', async (t) => {
  const last = (context: CheckpointContext) =>
    rewrite(context, context.image.symbols._data, MiB, () => undefined);
  t.same(idsAfter(last), ['invariant/guest-dump/only-in-dump@init']);
  const context = soundContext();
  const short = soundContext();
  last(short);
  context.evidence.files.kernel_page_tables = dumpOf(short);
  t.match(guestDump(context), [{ id: 'invariant/guest-dump/not-in-dump@init' }]);
});

t.test('findings come in the order of their ids', async (t) => {
  t.same(
    idsAfter((context) => {
      invalidate(context);
      const { _data } = context.image.symbols;
      rewrite(context, _data, 4 * KiB, (leaf) => withAttributes(leaf, prot.readOnly));
    }),
    ['invariant/guest-dump/readOnly@init', 'invariant/guest-dump/valid+notGlobal@init'],
  );
});

t.test('what changes while the kernel runs is not compared', (t) => {
  t.same(
    idsAfter((context) => rewrite(context, vmalloc, 4 * KiB, () => undefined)),
    [],
    'vmalloc',
  );
  t.same(
    idsAfter((context) => {
      context.unsteady.push({ start: plain(context), end: plain(context) + 0x2000n });
      invalidate(context);
    }),
    [],
    'an unsteady range',
  );
  t.same(
    idsAfter((context) => {
      const pa = given(context.ram[0]).start + 40 * MiB;
      context.evidence.probes.push({
        probe: 'memfd_secret',
        errno: 0,
        call: 'ok',
        pages: [pa + 4 * KiB, pa],
      });
      invalidate(context);
    }),
    [],
    'pages of a probe',
  );
  t.same(
    idsAfter((context) => {
      context.capture.variables._debug_pagealloc_enabled_early = 1n;
      context.unsteady.push({ start: linearOf(context, 0x4000_0000), end: plain(context) });
      invalidate(context);
    }),
    [],
    'the linear map under debug_pagealloc, also behind an unsteady range in it',
  );
  t.same(
    idsAfter((context) => {
      context.unsteady.push({ start: vmalloc + 0x1_0000n, end: vmalloc + 0x2_0000n });
      rewrite(context, vmalloc, 4 * KiB, () => undefined);
    }),
    [],
    'vmalloc, also before an unsteady range in it',
  );
  t.same(
    idsAfter((context) => {
      invalidate(context);
      const { start, end } = context.linear;
      context.linear = { start, end };
      const probe = { probe: 'memfd_secret', errno: 0, call: 'ok', pages: [0x4280_0000] };
      context.evidence.probes.push(probe);
    }),
    [],
    'the linear map where nobody knows which memory it maps',
  );
  const around = findingsAfter((context) => {
    const start = plain(context) + 0x1000n;
    context.unsteady.push({ start, end: start + 0x1000n }, { start, end: start + 0x2000n });
    rewrite(context, plain(context), 16 * KiB, (leaf) => withAttributes(leaf, prot.readOnly));
  });
  t.match(around, [{ detail: /differ \(2 stretches\)/ }], 'what is on both sides of it is');
  t.end();
});

t.test('a block in the root table is a PGD to the kernel, but a PMD is always one', async (t) => {
  const withBlock = (level: 1 | 2, startLevel: 0 | 1 | 2, name: string): string[] => {
    const context = soundContext();
    rewrite(context, plain(context), 4 * KiB, (leaf) => ({
      ...withAttributes(leaf, leaf.attributes & ~2n),
      level,
    }));
    context.evidence.files.kernel_page_tables = dumpOf(context).replace(' PGD ', ` ${name} `);
    const { regime } = context;
    return guestDump({ ...context, regime: { ...regime, startLevel } }).map(({ id }) => id);
  };
  const differ = ['invariant/guest-dump/level@init'];
  t.same(withBlock(1, 1, 'PGD'), []);
  t.same(withBlock(1, 0, 'PUD'), []);
  t.same(withBlock(1, 0, 'PGD'), differ);
  // note_page() asks for a folded P4D and PUD alone.
  t.same(withBlock(2, 2, 'PMD'), []);
  t.same(withBlock(2, 2, 'PGD'), differ);
});

t.test('the block column counts where the entry is valid', async (t) => {
  const idsWith = (valid: bigint) => {
    const context = soundContext();
    rewrite(context, plain(context), 4 * KiB, (leaf) =>
      withAttributes(leaf, (leaf.attributes & ~1n) | valid),
    );
    const mark = plain(context).toString(16);
    const dump = dumpOf(context).split('\n');
    const marked = dump.map((line) =>
      line.startsWith(`0x${mark}`) ? line.replace('    UXN', 'BLK UXN') : line,
    );
    t.not(marked.join(), dump.join());
    context.evidence.files.kernel_page_tables = marked.join('\n');
    return guestDump(context).map(({ id }) => id);
  };
  t.same(idsWith(0n), [], 'for an entry that is not valid, releases differ');
  t.same(idsWith(1n), ['invariant/guest-dump/block@init']);
});

t.test('of many stretches the first are shown, and all counted', async (t) => {
  const [finding] = findingsAfter((context) => {
    for (let page = 0n; page < 6n; page++)
      rewrite(context, plain(context) + page * 0x2000n, 4 * KiB, (leaf) =>
        withAttributes(leaf, prot.readOnly),
      );
  });
  const { detail } = given(finding);
  t.match(detail, 'differ (6 stretches):');
  t.equal(detail.match(/walk: /g)?.length, 4);
  t.match(detail, /… and 2 more$/);
});

t.test('the dump tells of the last checkpoint alone', async (t) => {
  const context = soundContext({ checkpoint: 'free_initmem' });
  context.evidence.files.kernel_page_tables = dumpOf(context);
  invalidate(context);
  t.same(guestDump(context), []);
});
