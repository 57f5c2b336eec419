// SPDX-License-Identifier: GPL-2.0-only
import type { CaseResult } from '../diff/types.ts';

/** Something that a run does not show, whatever its verdicts. */
interface Limit {
  what: string;
  why: string;
}

const conflicts: Limit = {
  what: 'TLB conflict aborts',
  why:
    'TCG never raises one. A change of block size that real hardware would answer with a conflict abort goes by in silence; ' +
    'only the tables and their changes are judged.',
};
const amalgamation: Limit = {
  what: 'Amalgamated TLB entries',
  why: 'TCG never merges an old and a new translation into one, which an implementation without BBM level 2 may do.',
};

/** In a recorded boot the architecture's rules judge each change of a table (src/bbm). */
const ofRecorded: readonly Limit[] = [
  conflicts,
  amalgamation,
  {
    what: 'Stale translations where no break is needed',
    why: 'Rights that are taken away without a TLB invalidation are still in a TLB; only what needs break-before-make is judged.',
  },
  {
    what: 'Weak memory ordering',
    why: 'TCG runs stores and invalidations one after the other. Barriers are judged where break-before-make needs them, and not between a table write and its use.',
  },
  {
    what: 'Other functions between the checkpoints',
    why: 'Each call of a function that the model knows is compared with it. What others make of the tables is compared at the checkpoints; in between it is held to the rules of updates and to the invariants of every instant.',
  },
];

const ofOthers: readonly Limit[] = [
  conflicts,
  amalgamation,
  {
    what: 'Most missing TLB invalidations',
    why: "TCG's software TLB is small and flushed often: an entry that is stale on hardware is usually gone here.",
  },
  {
    what: 'Weak memory ordering of table updates',
    why: 'A walk from outside happens with all CPUs stopped: a missing barrier between a table write and its use does not show.',
  },
  {
    what: 'Moments between the checkpoints',
    why: 'The tables are captured at paging_init, smp_cpus_done, free_initmem and init, and around linear_map_maybe_split_to_ptes(): what was wrong and repaired in between is not seen.',
  },
];

/** Of boards, which no emulator runs. */
const ofBoards: readonly Limit[] = [
  {
    what: 'Registers',
    why: 'Nobody can read translation registers of a running machine, but TCR_EL1.T1SZ: the others are predicted, and nothing compares them.',
  },
  {
    what: 'How the tables came to be',
    why: 'A board is read once, in operation: what was wrong and repaired before is not seen, and neither is a missing TLB invalidation or barrier.',
  },
  {
    what: 'User mappings, and the kernel log',
    why: 'An archive of collect has the kernel half of the tables, and no log.',
  },
];

/** Whether all cases are boards: they were looked at in operation, and not booted. */
export function areBoards(cases: readonly Partial<Pick<CaseResult, 'linearMap'>>[]): boolean {
  return cases.length > 0 && cases.every(({ linearMap }) => linearMap?.live !== undefined);
}

/**
 * What no run under TCG can show. Every report states it, so that nobody reads too much into a
 * pass. A run with a case that was not recorded does not show more than that case.
 */
export function notWitnessed(
  cases: readonly Partial<Pick<CaseResult, 'updates' | 'linearMap'>>[],
): readonly Limit[] {
  if (areBoards(cases)) return ofBoards;
  const recorded = cases.length > 0 && cases.every(({ updates }) => updates !== undefined);
  return recorded ? ofRecorded : ofOthers;
}
