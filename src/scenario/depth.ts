// SPDX-License-Identifier: GPL-2.0-only
/**
 * How far a case is booted: `early` up to the return of smp_cpus_done(), which takes about a quarter
 * of the CPU time; `full` until init has run its probes. It is part of what was run, not of the
 * scenario: the same experiment may be looked at in either way.
 */
export const depths = ['early', 'full'] as const;
export type Depth = (typeof depths)[number];

/**
 * What a run is asked: one depth for all its cases, or as planned, which is full for what can tell
 * something that no other full case of the run tells, and early for the rest.
 */
export const depthChoices = [...depths, 'planned'] as const;
export type DepthChoice = (typeof depthChoices)[number];

/** How far a case was booted; a result that does not say was made before there were early ones. */
export function depthOf({ depth = 'full' }: { depth?: Depth }): Depth {
  return depth;
}
