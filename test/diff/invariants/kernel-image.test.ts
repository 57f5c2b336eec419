// SPDX-License-Identifier: GPL-2.0-only
/** Defects of the kernel image: where it is mapped, and what of it can be written. */
import t from 'tap';
import type { CheckpointContext } from '../../../src/diff/context.ts';
import { imageInPlace } from '../../../src/diff/invariants/image-in-place.ts';
import { linearTextReadOnly } from '../../../src/diff/invariants/kernel-text-read-only.ts';
import { permissionIndex } from '../../../src/vmsa/permissions.ts';
import { given } from '../../given.ts';
import { addKernel, checkDefects, idsOf, imageVa, ramPlus } from '../defects.ts';
import {
  bits,
  KiB,
  linearOf,
  MiB,
  prot,
  rewrite,
  run,
  type Shape,
  segment,
  soundContext,
  vmalloc,
  withAttributes,
} from '../synthetic.ts';

checkDefects(t, [
  [
    'kernel text is writable in the image',
    (context) =>
      rewrite(context, imageVa(context, '_stext'), 4 * KiB, (leaf) =>
        withAttributes(leaf, prot.data),
      ),
    ['invariant/kernel-text-read-only/text-writable@init'],
  ],
  [
    'kernel text is writable and executable in the image',
    (context) =>
      rewrite(context, imageVa(context, '_stext'), 4 * KiB, (leaf) =>
        withAttributes(leaf, prot.data & ~bits.PXN),
      ),
    [
      'invariant/write-xor-execute/writable-executable@init',
      'invariant/kernel-text-read-only/text-writable@init',
    ],
  ],
  [
    'rodata is writable in the image',
    (context) =>
      rewrite(context, imageVa(context, '__start_rodata'), 4 * KiB, (leaf) =>
        withAttributes(leaf, prot.data),
      ),
    ['invariant/kernel-text-read-only/rodata-writable@init'],
  ],
  [
    'the linear alias of text is writable',
    (context) =>
      rewrite(context, linearOf(context, context.image.pa), 4 * KiB, (leaf) =>
        withAttributes(leaf, prot.data),
      ),
    ['invariant/kernel-text-read-only/linear-alias-writable@init'],
  ],
  [
    'the linear alias of text is writable although rodata=off',
    (context) => {
      context.capture.variables.rodata_enabled = 0n;
      rewrite(context, linearOf(context, context.image.pa), 4 * KiB, (leaf) =>
        withAttributes(leaf, prot.data),
      );
    },
    ['invariant/kernel-text-read-only/linear-alias-writable@init'],
  ],
  [
    'text is mapped writable once more',
    addKernel(vmalloc + 0x1_0000n, (context) => context.image.pa, prot.data),
    ['invariant/kernel-text-read-only/other-alias-writable@init'],
  ],
  [
    'the image is mapped to another place',
    (context) =>
      rewrite(context, imageVa(context, '_data'), 4 * KiB, (leaf) => ({
        ...leaf,
        pa: leaf.pa + 4 * KiB,
      })),
    ['invariant/kernel-image-in-place/wrong-address@init'],
  ],
  [
    'a page of the image is missing',
    (context) => rewrite(context, imageVa(context, '_data'), 4 * KiB, () => undefined),
    ['invariant/kernel-image-in-place/hole@init'],
  ],
  [
    'a page of the image is there, but not valid',
    (context) =>
      rewrite(context, imageVa(context, '_data'), 4 * KiB, (leaf) =>
        withAttributes(leaf, leaf.attributes & ~1n),
      ),
    ['invariant/kernel-image-in-place/hole@init'],
  ],
  [
    'the last page of the image is missing',
    (context) => rewrite(context, imageVa(context, '_end') - 0x1000n, 4 * KiB, () => undefined),
    ['invariant/kernel-image-in-place/hole@init'],
  ],
  [
    'init memory is still mapped',
    (context) =>
      context.capture.ttbr1.leaves.splice(
        6,
        0,
        run(imageVa(context, '__init_begin'), context.image.pa + 0x18_0000, 4 * KiB, prot.data),
      ),
    ['invariant/kernel-image-in-place/init-still-mapped@init'],
  ],
]);

t.test('an image outside RAM is named with the RAM that there is', async (t) => {
  const context = soundContext();
  const { image } = context;
  const ram = [{ start: image.pa + 4 * KiB, end: image.pa + 1024 * MiB }];
  const { id, detail } = given(imageInPlace({ ...context, ram })[0]);
  t.equal(id, 'invariant/kernel-image-in-place/not-ram@init');
  t.ok(detail.includes(`image: PA 0x${image.pa.toString(16)}, RAM: 0x`), detail);
  t.same(imageInPlace(context), []);
});

t.test('what the kernel protects late is not missed early, nor reported before its time', (t) => {
  const writable = (context: CheckpointContext, symbol: '_stext' | '__start_rodata') =>
    rewrite(context, imageVa(context, symbol), 4 * KiB, (leaf) => withAttributes(leaf, prot.data));
  const early = (
    checkpoint: Shape['checkpoint'],
    breakIt: (context: CheckpointContext) => void,
  ) => {
    const context = soundContext({ checkpoint });
    breakIt(context);
    return idsOf(context);
  };
  t.same(
    early('free_initmem', (context) => writable(context, '__start_rodata')),
    [],
  );
  t.same(
    early('paging_init', (context) => writable(context, '_stext')),
    ['invariant/kernel-text-read-only/text-writable@paging_init'],
  );
  const alias = (context: CheckpointContext) =>
    rewrite(context, linearOf(context, context.image.pa), 4 * KiB, (leaf) =>
      withAttributes(leaf, prot.data),
    );
  const elsewhere = addKernel(vmalloc + 0x1_0000n, (context) => context.image.pa, prot.data);
  t.same(early('free_initmem', elsewhere), [], 'the kernel patches its text through a fixmap page');
  const table = addKernel(vmalloc + 0x1_0000n, ramPlus(48 * MiB), prot.data);
  t.same(early('paging_init', table), [], 'tables are written through a fixmap page');
  t.same(early('paging_init', alias), []);
  t.same(early('after_split', alias), []);
  t.same(early('free_initmem', alias), [
    'invariant/kernel-text-read-only/linear-alias-writable@free_initmem',
  ]);
  const freed = (context: CheckpointContext) =>
    rewrite(
      context,
      imageVa(context, '__init_begin'),
      segment.__init_end - segment.__init_begin,
      () => undefined,
    );
  t.same(early('free_initmem', freed), ['invariant/kernel-image-in-place/hole@free_initmem']);
  t.end();
});

t.test('of many holes in the image the first are named, and the rest counted', async (t) => {
  const context = soundContext();
  const hole = (index: number) => imageVa(context, '_data') + BigInt(index * 8 * KiB);
  for (let index = 0; index < 9; index++) rewrite(context, hole(index), 4 * KiB, () => undefined);
  const [finding, ...more] = imageInPlace(context);
  t.same(more, []);
  const lines = given(finding).detail.split('\n').slice(1);
  const first = hole(0).toString(16);
  t.equal(lines[0], `  0x${first}-0x${(hole(0) + 0x1000n).toString(16)}`);
  t.equal(lines.length, 9);
  t.equal(lines[8], '  … and 1 more');
});

t.test("a board's /proc/iomem tells where the linear alias must be read-only", async (t) => {
  const writableAt = (pa: (start: number, end: number) => number, change = prot.data) => {
    const context = soundContext();
    const start = context.image.pa;
    const end = start + segment.__init_begin;
    context.kernelCode = { start, end };
    rewrite(context, linearOf(context, pa(start, end)), 4 * KiB, (leaf) =>
      withAttributes(leaf, change),
    );
    return context;
  };
  const first = writableAt((start) => start);
  t.match(linearTextReadOnly(first), [
    {
      id: 'invariant/kernel-text-read-only/linear-alias-writable@init',
      detail: /must not be writable here\.\n1 leaf, 4 KiB:\n/,
    },
  ]);
  t.equal(
    linearTextReadOnly(writableAt((_start, end) => end - 4 * KiB)).length,
    1,
    'its last page',
  );
  t.same(linearTextReadOnly(writableAt((_start, end) => end)), [], 'the page behind it');
  t.same(linearTextReadOnly(writableAt((start) => start, prot.readOnly)), []);
  // PIR_EL1 gives data the right to read, PIRE0_EL1 the one to write as well.
  const inEl0 = writableAt((start) => start);
  const field = 4n * BigInt(permissionIndex(prot.data));
  inEl0.regime = { ...inEl0.regime, indirection: { el1: 1n << field, el0: 5n << field } };
  t.equal(linearTextReadOnly(inEl0).length, 1, 'for EL0 alone');

  const elsewhere = writableAt((start) => start, prot.readOnly);
  addKernel(vmalloc + 0x1_0000n, ({ image }) => image.pa, prot.data)(elsewhere);
  t.same(linearTextReadOnly(elsewhere), [], 'the address of any other alias is not known');

  const { kernelCode: _, ...silent } = first;
  t.same(linearTextReadOnly(silent), [], '/proc/iomem hides its addresses');
  const { start, end } = first.linear;
  t.same(linearTextReadOnly({ ...first, linear: { start, end } }), [], 'which memory is not known');
});
