// SPDX-License-Identifier: GPL-2.0-only
import { RAM_BASE } from '../memory.ts';
import type { Scenario } from '../types.ts';

const MIB = 2 ** 20;

/** The largest unit of which an address or size is a multiple: what a mapping sees of it. */
function alignment(value: number): string {
  const units = [
    [32 * MIB, '32M'],
    [2 * MIB, '2M'],
    [64 * 1024, '64K'],
    [16 * 1024, '16K'],
  ] as const;
  return units.find(([unit]) => value % unit === 0)?.[1] ?? '4K';
}

function cpuValues({ machine }: Omit<Scenario, 'name'>): string[] {
  const { cpu, cpus, others = [], late, idFields = [] } = machine;
  return [
    `cpu ${cpu}`,
    ...others.map((name) => `other cpu ${name}`),
    `cpus ${cpus > 4 ? '5-8' : cpus > 2 ? '3-4' : cpus}`,
    ...(late ? ['late cpus'] : []),
    ...idFields.map(
      (field) => `${field.register} ${field.bits} ${field.value}${field.cpus ? ' of one' : ''}`,
    ),
  ];
}

/** What differs from a first bank of 256 MiB at the start of RAM. */
function firstMemory({ nodes, holes }: Scenario['machine']): string[] {
  const [lowest] = nodes?.flat() ?? [];
  const low = holes.filter(({ start }) => start < RAM_BASE + 256 * MIB);
  return [
    ...(lowest && lowest.start > RAM_BASE ? ['memory begins behind a gap'] : []),
    ...(lowest && lowest.start >= 2 ** 32 ? ['memory begins above 4 GiB'] : []),
    ...(lowest && lowest.size < 256 * MIB ? ['small first node'] : []),
    ...(low.some(({ start }) => start === RAM_BASE) ? ['hole at the start'] : []),
    ...(low.length > 0 ? ['hole in the first 256 MiB'] : []),
  ];
}

function memoryValues({ machine }: Omit<Scenario, 'name'>): string[] {
  const { memory, nodes = [], holes } = machine;
  return [
    `memory of ${alignment(memory * MIB)}`,
    ...nodes.flat().map(({ start, size }) => `node of ${alignment(start + size)}`),
    ...(nodes.length > 2 ? ['more than two nodes'] : []),
    ...(memory < 256 ? ['less than 256 MiB'] : []),
    ...firstMemory(machine),
    ...holes.flatMap(({ start, size }) => [
      `hole at ${alignment(start)}`,
      `hole of ${alignment(size)}`,
    ]),
  ];
}

/**
 * What a case is made of, as words that each stand for one choice: the kernel, each identity, what
 * memory is aligned to, the world, each parameter. Numbers that decide nothing by themselves, such
 * as a seed, leave none.
 * @param kernel its spec
 */
export function choicesOf(scenario: Omit<Scenario, 'name'>, kernel: string): string[] {
  const { machine, rodata, kfenceSampleInterval, kaslr, plain, parameters, probes } = scenario;
  const words = [
    `kernel ${kernel}`,
    ...cpuValues(scenario),
    ...memoryValues(scenario),
    `${machine.world} world, ${machine.firmware ?? 'no firmware'}`,
    ...(machine.entry ? ['entered at EL2'] : []),
    ...(machine.its === false ? ['no ITS'] : []),
    ...(machine.devices ?? []),
    `rodata ${rodata}`,
    `kfence ${kfenceSampleInterval ?? 'default'}`,
    ...(kaslr ? ['kaslr'] : []),
    ...(plain ? ['plain'] : []),
    ...parameters,
    ...probes,
  ];
  return [...new Set(words)];
}

/** The pairs of choices that come together in a case, each as one text. */
export function pairsOf(choices: readonly string[]): string[] {
  const sorted = choices.toSorted();
  return sorted.flatMap((one, index) =>
    sorted.slice(index + 1).map((other) => `${one} | ${other}`),
  );
}

/** The pairs of choices that cases have seen together (Kuhn, Kacker, Lei, NIST SP 800-142). */
export class SeenSpace {
  readonly #seen = new Set<string>();

  /** Number of pairs that were seen. */
  get size(): number {
    return this.#seen.size;
  }

  add(choices: readonly string[]): void {
    for (const pair of pairsOf(choices)) this.#seen.add(pair);
  }

  /** How many pairs of a case were not seen yet. */
  gain(choices: readonly string[]): number {
    return pairsOf(choices).filter((pair) => !this.#seen.has(pair)).length;
  }

  /**
   * The part of what cases would have shown that was seen, from 0 to 1.
   * @param cases choices of cases that stand for the whole space
   */
  share(cases: readonly (readonly string[])[]): number {
    const pairs = new Set(cases.flatMap(pairsOf));
    const seen = [...pairs].filter((pair) => this.#seen.has(pair)).length;
    return pairs.size === 0 ? 0 : seen / pairs.size;
  }
}
