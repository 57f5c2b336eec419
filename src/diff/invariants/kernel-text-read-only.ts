// SPDX-License-Identifier: GPL-2.0-only
import { isBefore, isInOperation } from '../../evidence/capture.ts';
import type { Stage1Regime } from '../../vmsa/regime.ts';
import type { LeafRun } from '../../vmsa/types.ts';
import { accessOf } from '../access.ts';
import { type Invariant, imageRange, imageVa, inVirtual, rodataEnabled } from '../context.ts';
import { partsOutside, runsOnto } from '../physical.ts';
import { runsIn } from '../runs.ts';
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
  const writable = runsOnto(capture.ttbr1.leaves, [protectedImage]).filter((run) =>
    isWritable(context.regime, run),
  );
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
    [linearAlias.nature, linearAlias.title, linear],
    ['text-writable', 'kernel text is writable in the kernel image', enabled ? text : []],
    ['rodata-writable', 'kernel rodata is writable in the kernel image', atInit ? rodata : []],
    [
      'other-alias-writable',
      'kernel text or rodata is writable through another mapping',
      atInit ? others : [],
    ],
  ];
  return views.flatMap(([nature, title, runs]) =>
    leavesViolation(context, { ...rule, nature, title }, runs),
  );
};

/**
 * The same of the linear alias alone, where nothing tells of the image but 'Kernel code' of
 * /proc/iomem: [_text, __init_begin) by request_standard_resources() (arch/arm64/kernel/setup.c).
 */
export const linearTextReadOnly: Invariant = (context) => {
  const { kernelCode, linear, regime, capture } = context;
  if (kernelCode === undefined || linear.vaMinusPa === undefined) return [];
  const alias = runsOnto(runsIn(capture.ttbr1.leaves, linear.start, linear.end), [kernelCode]);
  const writable = alias.filter((run) => isWritable(regime, run));
  return leavesViolation(context, { ...rule, ...linearAlias }, writable);
};

const rule = {
  name: 'kernel-text-read-only',
  because: '[_text, __init_begin) must not be writable here.',
};

const linearAlias = {
  nature: 'linear-alias-writable',
  title: 'the linear alias of kernel text or rodata is writable',
};

function isWritable(regime: Stage1Regime, run: LeafRun): boolean {
  const { el1, el0 } = accessOf(regime, run);
  return el1.write || el0.write;
}
