// SPDX-License-Identifier: GPL-2.0-only
import { refusalPrefix } from '../linux/cpu-messages.ts';
import type { Prediction } from '../model/types.ts';
import { findingId, slug } from './finding-id.ts';
import { splatId } from './invariants/no-splat.ts';
import { detailOf } from './text.ts';
import type { Finding } from './types.ts';

/** The common prefix of the ids of all refusals. */
const anyRefusal = splatId({ kind: 'cpu', title: refusalPrefix });

const idOf = (title: string): string => splatId({ kind: 'cpu', title });

/**
 * Removes the complaints that the model predicts, and adds a mismatch for each predicted complaint
 * that is missing from the log of a completed boot. Where it is not known which CPUs the kernel
 * accepts, a refusal is not a finding.
 * @param splats findings of the invariant that the kernel does not complain
 */
export function withoutPredicted(
  { complaints: predicted, lateCpusUnknown }: Pick<Prediction, 'complaints' | 'lateCpusUnknown'>,
  splats: readonly Finding[],
  completed: boolean,
): Finding[] {
  const expected = new Set(predicted.map(idOf));
  const seen = new Set(splats.map(({ id }) => id));
  const absent = predicted.filter((title) => completed && !seen.has(idOf(title)));
  return [
    ...splats.filter(
      ({ id }) => !expected.has(id) && !(lateCpusUnknown && id.startsWith(anyRefusal)),
    ),
    ...absent.map(
      (title): Finding => ({
        id: findingId('mismatch', ['complaint', slug(title), 'absent']),
        kind: 'mismatch',
        title: 'the kernel does not say what it must say of a CPU that differs',
        detail: detailOf([
          `The model predicts the complaint "${title}", but neither console nor dmesg has it.`,
        ]),
      }),
    ),
  ];
}
