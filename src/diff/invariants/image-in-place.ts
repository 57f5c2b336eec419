// SPDX-License-Identifier: GPL-2.0-only
import { isInOperation } from '../../evidence/capture.ts';
import { contains } from '../../linux/physical-range.ts';
import { firstLines } from '../compare-state.ts';
import { type ImageSymbol, type Invariant, imageRange, imageVa } from '../context.ts';
import { endOf, runsIn } from '../runs.ts';
import { hex } from '../text.ts';
import { leavesViolation, type Rule, violation } from './violation.ts';

const name = 'kernel-image-in-place';

/**
 * The kernel image view maps [_text, _end) page by page to the address where the image was loaded
 * (map_kernel() in arch/arm64/kernel/pi/map_kernel.c). That address is in RAM (memblock reserves
 * it; arm64_memblock_init() in arch/arm64/mm/init.c). [__init_begin, __init_end) is mapped until
 * free_initmem() (same file) unmaps it with vunmap_range(). The checkpoint free_initmem is its
 * entry.
 */
export const imageInPlace: Invariant = (context) => {
  const { capture, image, ram } = context;
  const view = runsIn(capture.ttbr1.leaves, imageVa(image, '_text'), imageVa(image, '_end'));
  const offset = imageVa(image, '_text') - BigInt(image.pa);
  const freed = isInOperation(capture.checkpoint);
  const initMemory = runsIn(view, imageVa(image, '__init_begin'), imageVa(image, '__init_end'));
  const needed: [ImageSymbol, ImageSymbol][] = freed
    ? [
        ['_text', '__init_begin'],
        ['__init_end', '_end'],
      ]
    : [['_text', '_end']];
  const valid = view.filter((run) => run.valid);
  const holes = needed.flatMap(([from, to]) =>
    gaps(valid, imageVa(image, from), imageVa(image, to)),
  );
  const rule = (nature: string, title: string, because: string): Rule => ({
    name,
    nature,
    title,
    because,
  });
  return [
    ...leavesViolation(
      context,
      rule(
        'wrong-address',
        'the kernel image is mapped to another place than it was loaded',
        'PA must be VA - _text + load address.',
      ),
      view.filter((run) => run.va - BigInt(run.pa) !== offset),
    ),
    ...leavesViolation(
      context,
      rule(
        'init-still-mapped',
        'freed init memory is still mapped in the kernel image',
        'free_initmem() unmaps [__init_begin, __init_end).',
      ),
      freed ? initMemory : [],
    ),
    ...(holes.length === 0
      ? []
      : [
          violation(
            context,
            rule(
              'hole',
              'a part of the kernel image is not mapped',
              'Every page of the image has a valid leaf.',
            ),
            firstLines(holes.map(({ start, end }) => `  ${hex(start)}-${hex(end)}`)),
          ),
        ]),
    ...(contains(ram, imageRange(image, '_text', '_end'))
      ? []
      : [
          violation(
            context,
            rule(
              'not-ram',
              'the kernel image lies where memblock has no RAM',
              'The image must lie in mappable RAM.',
            ),
            [
              `  image: PA ${hex(image.pa)}, RAM: ${ram.map(({ start, end }) => `${hex(start)}-${hex(end)}`).join(' ')}`,
            ],
          ),
        ]),
  ];
};

/** The parts of [start, end) that are not in any of the ascending runs. */
function gaps(
  runs: Parameters<typeof runsIn>[0],
  start: bigint,
  end: bigint,
): { start: bigint; end: bigint }[] {
  const found: { start: bigint; end: bigint }[] = [];
  let next = start;
  for (const run of runsIn(runs, start, end)) {
    if (run.va > next) found.push({ start: next, end: run.va });
    next = endOf(run);
  }
  if (next < end) found.push({ start: next, end });
  return found;
}
