// SPDX-License-Identifier: GPL-2.0-only
import { isBefore, isInOperation } from '../../evidence/capture.ts';
import type { LeafRun } from '../../vmsa/types.ts';
import { accessOf } from '../access.ts';
import { type Invariant, imageRange, imageVa, inVirtual, rodataEnabled } from '../context.ts';
import { partsOutside, runsOnto } from '../physical.ts';
import { leavesViolation } from './violation.ts';

/**
 * Kernel text and rodata cannot be written through any mapping:
 * - text [_stext, _etext) of the image is read-only from map_kernel() on
 *   (arch/arm64/kernel/pi/map_kernel.c), unless rodata=off;
 * - the linear alias of [_text, __init_begin) since mark_linear_text_alias_ro(), called by
 *   smp_cpus_done(), whatever the value of rodata=;
 * - all of [_text, __init_begin) in the image since mark_rodata_ro() (arch/arm64/mm/mmu.c), unless
 *   rodata=off;
 * - no other alias is writable once init runs: text is patched through a fixmap page that is
 *   unmapped afterwards.
 */
export const kernelTextReadOnly: Invariant = (context) => {
  const { capture, image } = context;
  const { checkpoint } = capture;
  const protectedImage = imageRange(image, '_text', '__init_begin');
  const writable = runsOnto(capture.ttbr1.leaves, [protectedImage]).filter((run) => {
    const { el1, el0 } = accessOf(context.regime, run);
    return el1.write || el0.write;
  });
  const imageView = { start: imageVa(image, '_text'), end: imageVa(image, '_end') };
  const enabled = rodataEnabled(context);
  // mark_linear_text_alias_ro() follows the repaint in smp_cpus_done().
  const linear = isBefore(checkpoint, 'smp_cpus_done')
    ? []
    : writable.filter((run) => inVirtual(run, context.linear));
  const inImage = writable.filter((run) => inVirtual(run, imageView));
  const text = runsOnto(inImage, [imageRange(image, '_stext', '_etext')]);
  const rodata = inImage.flatMap((run) =>
    partsOutside(run, [imageRange(image, '_stext', '_etext')]),
  );
  const others = writable.filter(
    (run) => !inVirtual(run, context.linear) && !inVirtual(run, imageView),
  );
  const atInit = isInOperation(checkpoint) && enabled;
  const views: [string, string, LeafRun[]][] = [
    ['linear-alias-writable', 'the linear alias of kernel text or rodata is writable', linear],
    ['text-writable', 'kernel text is writable in the kernel image', enabled ? text : []],
    ['rodata-writable', 'kernel rodata is writable in the kernel image', atInit ? rodata : []],
    [
      'other-alias-writable',
      'kernel text or rodata is writable through another mapping',
      atInit ? others : [],
    ],
  ];
  return views.flatMap(([nature, title, runs]) =>
    leavesViolation(
      context,
      {
        name: 'kernel-text-read-only',
        nature,
        title,
        because: '[_text, __init_begin) must not be writable here.',
      },
      runs,
    ),
  );
};
