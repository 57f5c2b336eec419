// SPDX-License-Identifier: GPL-2.0-only
import { loadPlaces, usualSizes } from '../load-places.ts';
import type { Machine, Scenario } from '../types.ts';
import { cpusOf } from './cpus.ts';
import type { BoardFacts, Written } from './facts.ts';
import { address, memoryOf } from './memory.ts';
import { parametersOf, startsAlone } from './parameters.ts';
import { unitOf } from './pieces.ts';

/** What only the monitor can do: see scenarioFileSchema. */
function needsMonitor(machine: Machine): boolean {
  const { world, idFields, others, nodes } = machine;
  return (
    world === 'realm' ||
    [idFields, others, nodes].some((part) => part !== undefined) ||
    loadPlaces(machine, usualSizes) === undefined
  );
}

/**
 * Where the kernel lies otherwise than on the board, seen from the border of a largest leaf: that
 * is where the alias of its text is in the linear map.
 */
function movedKernel({ image, granule }: BoardFacts, machine: Machine): string[] {
  const place = loadPlaces(machine, usualSizes)?.image;
  const unit = unitOf(granule);
  if (image === undefined || place === undefined || image % unit === place % unit) return [];
  return [
    `The kernel lies at ${address(place)}, not as on the board, where it is at ${address(image)}: the alias of its text is elsewhere in the linear map.`,
  ];
}

/** Letters that a scenario's name may have; any other text from a user. */
function nameOf(label: string): string {
  return `board-${label.replaceAll(/[^A-Za-z0-9._+-]/g, '-')}`.slice(0, 80);
}

/**
 * The scenario that shows on emulated hardware what a board showed, as far as that can be had, and
 * a sentence for each thing in which it is not the board. It is always valid.
 */
export function boardScenario(facts: BoardFacts): Written<Scenario> {
  const alone = startsAlone(facts.commandLine);
  const [cpus, memory, parameters] = [cpusOf(facts, alone), memoryOf(facts), parametersOf(facts)];
  const machine: Machine = { ...cpus.made, ...memory.made, world: facts.world };
  const whole = { ...machine, ...(needsMonitor(machine) && { firmware: 'monitor' as const }) };
  const scenario: Scenario = {
    name: nameOf(facts.label),
    machine: whole,
    ...parameters.made,
    probes: [...(machine.late ? (['cpu_online'] as const) : []), 'memfd_secret'],
  };
  return {
    made: scenario,
    changes: [
      ...memory.changes,
      ...movedKernel(facts, whole),
      ...cpus.changes,
      ...(facts.world === 'realm' ? ['The realm runs on the monitor of ptdiff.'] : []),
      ...(facts.kaslr ? ['The slide of KASLR is another: it follows from the seed.'] : []),
      ...parameters.changes,
    ],
  };
}
