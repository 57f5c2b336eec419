// SPDX-License-Identifier: GPL-2.0-only
import t from 'tap';
import type { CheckpointContext } from '../../src/diff/context.ts';
import { guestDump } from '../../src/diff/invariants/guest-dump.ts';
import { ptdumpAttributes } from '../../src/linux/ptdump.ts';
import { given } from '../given.ts';
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
  const address = (va: bigint) => `0x${BigInt.asUintN(64, va).toString(16).padStart(16, '0')}`;
  const lines = capture.ttbr1.leaves.map((leaf) => {
    const a = ptdumpAttributes(leaf.attributes);
    const columns = [
      a.valid ? ' ' : 'F',
      a.user ? 'USR' : '   ',
      a.readOnly ? 'ro' : 'RW',
      a.pxn ? 'NX' : 'x ',
      a.shared ? 'SHD' : '   ',
      a.accessed ? 'AF' : '  ',
      a.notGlobal ? 'NG' : '  ',
      a.contiguous ? 'CON' : '   ',
      a.block ? 'BLK' : '   ',
      a.uxn ? 'UXN' : '   ',
      a.guarded ? 'GP' : '  ',
    ];
    // Index 0 is Normal in the synthetic MAIR as in Linux's.
    const end = address(leaf.va + BigInt(leaf.size));
    return `${address(leaf.va)}-${end} ${String(leaf.size / KiB).padStart(11)}K ${leaf.level === 3 ? 'PTE' : 'PGD'} ${columns.join(' ')} ${a.memory}`;
  });
  return `---[ Linear Mapping start ]---\n${lines.join('\n')}\n0x${'f'.repeat(13)}000-0x${'0'.repeat(16)}           4K PTE\n`;
}

/** A sound boot with its own dump; then the tables change behind the dump's back. */
function idsAfter(change: (context: CheckpointContext) => void): string[] {
  const context = soundContext();
  context.evidence.files.kernel_page_tables = dumpOf(context);
  change(context);
  return guestDump(context).map(({ id }) => id);
}

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
  t.end();
});

t.test('a block in the root table is a PGD to the kernel, and a PUD only below it', async (t) => {
  const withBlock = (startLevel: 0 | 1): CheckpointContext => {
    const context = soundContext();
    rewrite(context, plain(context), 4 * KiB, (leaf) => ({
      ...withAttributes(leaf, leaf.attributes & ~2n),
      level: 1,
    }));
    context.evidence.files.kernel_page_tables = dumpOf(context);
    return { ...context, regime: { ...context.regime, startLevel } };
  };
  t.same(guestDump(withBlock(1)), []);
  t.same(
    guestDump(withBlock(0)).map(({ id }) => id),
    ['invariant/guest-dump/level@init'],
  );
});
