// SPDX-License-Identifier: GPL-2.0-only
import { type NamedParts, scenarioName } from './names.ts';
import type { Machine, Scenario } from './types.ts';

/** The parts of a built-in scenario: a CPU, and what differs from the kernel's defaults. */
export type ScenarioParts = Partial<NamedParts> & { cpu: string };

/**
 * A scenario named after its parts. By default the machine has one CPU and 1 GiB, and memfd_secret
 * is probed.
 */
export function makeScenario(
  parts: ScenarioParts,
  machine: Partial<Machine> = {},
  rest: Partial<Pick<Scenario, 'parameters' | 'probes'>> = {},
): Scenario {
  const { cpu, rodata = 'default', kaslr = false, kfenceSampleInterval } = parts;
  return {
    name: scenarioName({ ...parts, rodata, kaslr }),
    machine: { cpu, cpus: 1, memory: 1024, holes: [], world: 'normal', ...machine },
    rodata,
    ...(kfenceSampleInterval === undefined ? {} : { kfenceSampleInterval }),
    kaslr,
    parameters: [],
    probes: ['memfd_secret'],
    ...rest,
  };
}

/**
 * 2 GiB with three holes: one inside a 2 MiB block, one at a 2 MiB border, one with an odd number
 * of pages.
 */
export const memoryWithHoles = {
  memory: 2048,
  holes: [
    { start: 0x6010_0000, size: 64 * 1024 },
    { start: 0x7000_0000, size: 2 * 2 ** 20 },
    { start: 0x9234_0000, size: 7 * 64 * 1024 },
  ],
} satisfies Partial<Machine>;

/**
 * 1 GiB with holes of a multiple of 4 KiB that cut pages of 16 and 64 KiB in two. Up to 7.2, except
 * in 6.12 since 6.12.117, map_mem() maps the rest of such a page, and with it the hole.
 */
export const memoryWithOddHoles = {
  memory: 1024,
  holes: [
    { start: 0x5000_1000, size: 2 * 4096 },
    { start: 0x5800_3000, size: 6 * 4096 },
    // There is less than a page of 16 KiB between these two.
    { start: 0x5c00_1000, size: 4096 },
    { start: 0x5c00_3000, size: 4096 },
  ],
} satisfies Partial<Machine>;

/**
 * 2 GiB with gaps: two nodes that touch in the middle of a 2 MiB block, and one node with two
 * ranges.
 */
export const memoryInNodes = {
  memory: 2048,
  nodes: [
    [{ start: 0x4000_0000, size: 0x2581_0000 }],
    [{ start: 0x6581_0000, size: 0x0a9f_0000 }],
    [
      { start: 0x7440_0000, size: 30 * 2 ** 20 },
      { start: 0xa000_0000, size: 512 * 2 ** 20 },
    ],
  ],
} satisfies Partial<Machine>;

/**
 * Memory as firmware leaves it on boards: a small first bank of which nothing may be mapped, but
 * which is where the kernel takes memory to begin (memblock_start_of_DRAM()); then one bank that
 * begins behind 2 MiB of TF-A, with the kernel at its very start, and OP-TEE 132 MiB behind that
 * border; and a hole that shares a block with the end of the bank.
 */
export const memoryWithLowHoles = {
  memory: 2048,
  firmware: 'monitor',
  nodes: [
    [{ start: 0x4000_0000, size: 32 * 2 ** 20 }],
    [{ start: 0x8020_0000, size: 510 * 2 ** 20 }],
  ],
  holes: [
    { start: 0x4000_0000, size: 32 * 2 ** 20 },
    { start: 0x8840_0000, size: 16 * 2 ** 20 },
    { start: 0x9ff1_0000, size: 64 * 1024 },
  ],
} satisfies Partial<Machine>;
