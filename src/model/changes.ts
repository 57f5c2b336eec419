// SPDX-License-Identifier: GPL-2.0-only
import type { Assumption } from '../linux/assumptions.ts';
import type { Change } from '../linux/changes/change.ts';
import { byRelease, type ChangeId, changeIds, changes } from '../linux/changes/index.ts';
import type { KernelTraits } from '../linux/kernel-traits.ts';

/** Whether one kernel has a change, and how that is known. */
export interface KernelChange {
  id: ChangeId;
  has: boolean;
  /** The evidence: a trace in the Image, the release, or an assumption with its reason. */
  by: string;
}

/** Without this option no Image shows the change, and it is off in this kernel. */
const isHidden = ({ needs }: Change, { config }: KernelTraits): boolean =>
  needs !== undefined && config[needs] === false;

/** What the traits say, if they say anything: the model predicts with them. */
function inTraits({ trait }: Change, traits: KernelTraits): boolean | undefined {
  return trait && (trait.values as readonly unknown[]).includes(traits[trait.name]);
}

/**
 * Which rules of the table a kernel has. The answers are those that the model branches on.
 * @param assumptions what the Image does not show, see traitsOf()
 */
export function changesOf(
  traits: KernelTraits,
  assumptions: readonly Pick<Assumption, 'trait' | 'why'>[],
): KernelChange[] {
  return changeIds.map((id) => {
    const change = changes[id];
    const shown = isHidden(change, traits) ? undefined : inTraits(change, traits);
    const has = shown ?? byRelease(traits.release, id);
    const assumption = assumptions.find(({ trait }) => trait === change.trait?.name);
    if (assumption) return { id, has, by: `assumed: ${assumption.why}` };
    const image = shown !== undefined ? change.shown : undefined;
    return { id, has, by: image === undefined ? 'its release' : `its Image: ${image}` };
  });
}
