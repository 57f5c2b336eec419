// SPDX-License-Identifier: GPL-2.0-only
/** One rule of the model, broken: `from` in `file` becomes `to`. */
export interface Mutation {
  file: string;
  from: string;
  to: string;
  rule: string;
}

/** Rules of one file of src/model/. */
export const inFile = (
  file: string,
  list: [from: string, to: string, rule: string][],
): Mutation[] => list.map(([from, to, rule]) => ({ file: `src/model/${file}`, from, to, rule }));
