// SPDX-License-Identifier: GPL-2.0-only
import { refusalPrefix } from '../linux/cpu-messages.ts';
import type { Prediction } from '../model/types.ts';
import { findingId, slug } from './finding-id.ts';
import { splatId } from './invariants/no-splat.ts';
import { detailOf } from './text.ts';
import type { Finding } from './types.ts';

/** What the ids of all refusals begin with. */
const anyRefusal = splatId({ kind: 'cpu', title: refusalPrefix });

const idOf = (title: string): string => splatId({ kind: 'cpu', title });

/**
 * Takes away the complaints that the model predicts, and adds a mismatch for each of them that the
 * log of a completed boot does not show. Where it is not known which CPUs are let in, a refusal is
 * no finding.
 * @param splats findings of the invariant that no kernel complains
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
