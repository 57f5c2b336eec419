// SPDX-License-Identifier: GPL-2.0-only
/**
 * What no run under TCG can show, whatever its verdicts. Every report states it, so that nobody
 * reads too much into a pass.
 */
export const notWitnessed: readonly { what: string; why: string }[] = [
  {
    what: 'TLB conflict aborts',
    why:
      'TCG never raises one. A change of block size that real hardware would answer with a conflict abort goes by in silence; ' +
      'only the tables themselves are judged.',
  },
  {
    what: 'Amalgamated TLB entries',
    why: 'TCG never merges an old and a new translation into one, which an implementation without BBM level 2 may do.',
  },
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
    why: 'The tables are captured at paging_init, smp_cpus_done, free_initmem and init, and around linear_map_maybe_split_to_ptes(): what was wrong and repaired in between is recorded, but not compared with the prediction.',
  },
];
