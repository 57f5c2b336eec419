// SPDX-License-Identifier: GPL-2.0-only
import { given } from '../../given.ts';

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

/** Finds a piece of code however its lines are broken. */
function patternOf(code: string): RegExp {
  const escaped = code.trim().replaceAll(/[.*+?^${}()|[\]\\]/g, '\\$&');
  const broken = escaped
    .replaceAll(/\\[([{]/g, '$&\\s*')
    .replaceAll(/\\[)\]}]/g, ',?\\s*$&')
    .replaceAll(/\s+/g, '\\s+');
  return new RegExp(broken.replaceAll('\\s*\\s+', '\\s*').replaceAll('\\s+,?\\s*', ',?\\s*'), 'g');
}

/**
 * The source of a file with one of its rules broken.
 * @throws Error where the rule does not stand there exactly once
 */
export function broken(source: string, { file, from, to }: Mutation): string {
  const found = [...source.matchAll(patternOf(from))];
  if (found.length !== 1) throw new Error(`'${from}' is ${found.length} times in ${file}`);
  const { 0: text, index } = given(found[0]);
  return source.slice(0, index) + to + source.slice(index + text.length);
}
