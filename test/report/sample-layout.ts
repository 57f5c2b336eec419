// SPDX-License-Identifier: GPL-2.0-only
import type { PredictedRun } from '../../src/model/types.ts';
import type { Level, SystemRegisters } from '../../src/vmsa/types.ts';
import { given } from '../given.ts';

/** Linear maps as stock kernels lay them out over 1 GiB of 4K pages. */

export const MiB = 2 ** 20;
export const linearStart = 0xfff0_0000_0000_0000n;
const ramStart = 0x4000_0000;

/** Kinds of leaf for the builders below: level and contiguous bit. */
const shapes: Record<string, { level: Level; contiguous: boolean }> = {
  page: { level: 3, contiguous: false },
  contPte: { level: 3, contiguous: true },
  pmd: { level: 2, contiguous: false },
  contPmd: { level: 2, contiguous: true },
};

export function leafRun(
  pa: number,
  size: number,
  shape: keyof typeof shapes,
  access: 'rw' | 'ro' | 'invalid',
  why: string,
): PredictedRun {
  const { level, contiguous } = given(shapes[shape]);
  const type = level === 3 ? 0x3n : 0x1n;
  let attributes = 0x68_0000_0000_0700n | type | (contiguous ? 1n << 52n : 0n);
  if (access === 'ro') attributes |= 0x80n;
  if (access === 'invalid') attributes &= ~1n;
  return {
    va: linearStart + BigInt(pa),
    pa,
    size,
    level,
    contiguous,
    valid: access !== 'invalid',
    attributes,
    tableAttributes: 0,
    why,
    alternatives: [],
  };
}

/** Memory in 2M blocks, in contiguous groups where 32 MiB fit. */
function blocks(from: number, to: number): PredictedRun[] {
  const first = Math.min(to, Math.ceil(from / (32 * MiB)) * 32 * MiB);
  const last = Math.max(first, Math.floor(to / (32 * MiB)) * 32 * MiB);
  return [
    { from, to: first, shape: 'pmd' },
    { from: first, to: last, shape: 'contPmd' },
    { from: last, to, shape: 'pmd' },
  ]
    .filter((part) => part.to > part.from)
    .map((part) => leafRun(part.from, part.to - part.from, part.shape, 'rw', 'memory'));
}

function memory(from: number, to: number, large: boolean): PredictedRun[] {
  return large ? blocks(from, to) : [leafRun(from, to - from, 'page', 'rw', 'memory')];
}

function kfencePool(at: number): PredictedRun[] {
  return Array.from({ length: 512 }, (_, page) => {
    const guard = page < 2 || page % 2 === 1;
    return leafRun(
      at + page * 4096,
      4096,
      'page',
      guard ? 'invalid' : 'rw',
      guard ? 'KFENCE guard page' : 'KFENCE pool',
    );
  });
}

/** The linear map of 1 GiB (and of a second region above a hole) at init. */
export function layout(options: {
  large: boolean;
  kfence: boolean;
  imageAt: number;
  hole: boolean;
}): PredictedRun[] {
  const image = ramStart + options.imageAt;
  const text = image + 28 * MiB;
  const data = text + 4 * MiB;
  const pool = 0x7c00_0000;
  const end = ramStart + 1024 * MiB;
  return [
    ...memory(ramStart, image, options.large),
    leafRun(
      image,
      text - image,
      options.large ? 'contPte' : 'page',
      'ro',
      'kernel text and rodata alias',
    ),
    leafRun(text, data - text - 64 * 1024, 'page', 'rw', 'kernel init memory, freed'),
    leafRun(data - 64 * 1024, 64 * 1024, 'page', 'invalid', 'kernel data and bss alias'),
    ...(options.kfence
      ? [
          ...memory(data, pool, options.large),
          ...kfencePool(pool),
          ...memory(pool + 2 * MiB, end, options.large),
        ]
      : memory(data, end, options.large)),
    ...(options.hole ? memory(0x1_4000_0000, 0x1_4000_0000 + 512 * MiB, options.large) : []),
  ];
}

/** 4K granule, 52-bit addresses with DS, MMU on. */
export const registers: SystemRegisters = {
  TTBR0_EL1: 0x4000_0000n,
  TTBR1_EL1: 0x4100_0000n,
  TCR_EL1: (1n << 59n) | (6n << 32n) | (2n << 30n) | (12n << 16n) | 12n,
  MAIR_EL1: 0xff_44f0n,
  SCTLR_EL1: 1n,
};
