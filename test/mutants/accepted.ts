// SPDX-License-Identifier: GPL-2.0-only
/** Mutants that no test can notice, by keyOf(), each with the reason why it is equivalent. */
export const accepted: ReadonlyMap<string, string> = new Map<string, string>([
  // The model of arch/arm64, mm and kernel.
  [
    'src/model/arch/arm64/mm/proc.ts kpti_mk_tbl_ng: index < table.length => (index) <= (table.length)',
    'behind the last entry is none, neither a leaf nor a table',
  ],
  [
    'src/model/arch/arm64/mm/proc.ts kpti_mk_tbl_ng: same !== undefined => true',
    'isLeaf(undefined) is false, too; the type alone does not say so',
  ],
  [
    'src/model/kernel/crash_reserve.ts placeOf: observed !== undefined => true',
    'mayLieThere() takes no place that is not a number; the type alone does not say so',
  ],
]);
