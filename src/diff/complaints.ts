import { findingId, slug } from './finding-id.ts';
import { splatId } from './invariants/no-splat.ts';
import { detailOf } from './text.ts';
import type { Finding } from './types.ts';

const idOf = (title: string): string => splatId({ kind: 'cpu', title });

/**
 * Takes away the complaints that the model predicts, and adds a mismatch for each of them that the log of a completed boot does not show.
 * @param predicted titles of the model's `complaints`
 * @param splats findings of the invariant that no kernel complains
 */
export function withoutPredicted(
  predicted: readonly string[],
  splats: readonly Finding[],
  completed: boolean,
): Finding[] {
  const expected = new Set(predicted.map(idOf));
  const seen = new Set(splats.map(({ id }) => id));
  const absent = predicted.filter((title) => completed && !seen.has(idOf(title)));
  return [
    ...splats.filter(({ id }) => !expected.has(id)),
    ...absent.map(
      (title): Finding => ({
        id: findingId('mismatch', ['complaint', slug(title), 'absent']),
        kind: 'mismatch',
        title: 'the kernel does not say what it must say of a CPU that differs',
        detail: detailOf([`The model predicts the complaint "${title}", but neither console nor dmesg has it.`]),
      }),
    ),
  ];
}
