// SPDX-License-Identifier: GPL-2.0-only
import { get_option, parameq, parse_args } from '../linux/cmdline.ts';
import { sizeOf } from '../linux/physical-range.ts';
import { parseRelease } from '../linux/release.ts';
import { seenRegisters } from '../scenario/board/cpus.ts';
import type { BoardFacts } from '../scenario/board/facts.ts';
import { startsAlone } from '../scenario/board/parameters.ts';
import { midrName } from '../scenario/cpus.ts';
import type { Machine, Scenario } from '../scenario/types.ts';
import type { Granule } from '../vmsa/types.ts';
import type { Board, BoardCpu, VmcoreInfo } from './board.ts';
import { memoryOf } from './board-memory.ts';

/** MIN_KIMG_ALIGN: a smaller slide is where the boot loader put the image, and not KASLR. */
const leastSlide = 2n ** 21n;

/** Words of the command line that the kernel reads; init reads what follows `--`. */
export function parametersOf({ files }: Board): string[] {
  const words = (files['/proc/cmdline'] ?? '').trim().split(/\s+/);
  const end = words.indexOf('--');
  return (end < 0 ? words : words.slice(0, end)).filter((word) => word !== '');
}

/**
 * The CPUs that smp_init() brought up, by the command line: maxcpus= of them (kernel/smp.c), the
 * first one always. Others came later, and changed nothing of the linear map.
 */
export function bootCpus(board: Board, { release }: Pick<VmcoreInfo, 'release'>): BoardCpu[] {
  let most = Number.POSITIVE_INFINITY;
  for (const { param, val } of parse_args(parametersOf(board).join(' '))) {
    if (parameq(param, 'nosmp')) most = 1;
    if (parameq(param, 'maxcpus') && val !== undefined)
      most = Math.max(1, get_option(val, parseRelease(release)) ?? most);
  }
  return board.cpus.filter((_, index) => index < most);
}

/** ID registers as the kernel uses them: with what its command line makes of them. */
export function idRegistersOf(cpus: readonly BoardCpu[], board: Board): Record<string, bigint>[] {
  return cpus.map(({ registers }) => seenRegisters(registers, board.overrides));
}

/**
 * Whether the ID registers of all these CPUs are known. Where the kernel's types are not, sysfs has
 * MIDR_EL1, REVIDR_EL1 and AIDR_EL1 alone, and a dump nothing.
 */
export function areIdentified(cpus: readonly BoardCpu[]): boolean {
  return cpus.length > 0 && cpus.every(({ registers }) => 'ID_AA64MMFR0_EL1' in registers);
}

function worldOf({ variables }: Board): Machine['world'] {
  return variables.rsi_present === 1n ? 'realm' : 'normal';
}

/**
 * What a scenario can show of a board on emulated hardware.
 * @param label what the user calls it
 * @param image physical address of its kernel's image
 */
export function boardFactsOf(
  board: Board,
  info: VmcoreInfo,
  label: string,
  image?: number,
): BoardFacts {
  const { present, noMap } = memoryOf(board);
  const commandLine = board.files['/proc/cmdline'] ?? '';
  return {
    label,
    // readVmcoreInfo() takes no other.
    granule: info.granule as Granule,
    ...{ present, noMap, commandLine },
    ...(image !== undefined && { image }),
    // Late CPUs are there as late ones.
    cpus: startsAlone(commandLine) ? board.cpus : bootCpus(board, info),
    overrides: board.overrides,
    world: worldOf(board),
    kaslr: info.slide >= leastSlide,
  };
}

/**
 * A board as a scenario, which no emulator can boot: its memory is where memblock has it, its CPUs
 * are its own, and its parameters are those of its command line.
 * @param name of the case
 */
export function scenarioOf(
  board: Board,
  info: Pick<VmcoreInfo, 'release' | 'slide'>,
  name: string,
): Scenario {
  const { present, noMap } = memoryOf(board);
  const booted = bootCpus(board, info).map(({ registers }) => midrName(registers.MIDR_EL1 ?? 0n));
  const [cpu = midrName(0n), ...others] = booted;
  const ranges = present.map(({ start, end }) => ({ start, size: end - start }));
  const machine: Machine = {
    cpu,
    cpus: others.length + 1,
    ...(others.some((other) => other !== cpu) && { others }),
    memory: Math.ceil(sizeOf(...present) / 2 ** 20),
    nodes: [ranges],
    holes: noMap.map(({ start, end }) => ({ start, size: end - start })),
    world: worldOf(board),
  };
  return {
    name,
    machine,
    rodata: 'default',
    kaslr: info.slide >= leastSlide,
    plain: true,
    parameters: parametersOf(board),
    probes: [],
  };
}
