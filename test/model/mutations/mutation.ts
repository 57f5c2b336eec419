// SPDX-License-Identifier: GPL-2.0-only
import { stripTypeScriptTypes } from 'node:module';
import { type AnyNode, parse } from 'acorn';
import { given } from '../../given.ts';
import { childrenOf, type Mutant } from '../../mutants/find-mutants.ts';

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
 * Where a rule stands in the source of its file.
 * @throws Error where it does not stand there exactly once
 */
function placeOf(source: string, { file, from }: Mutation): { start: number; end: number } {
  const found = [...source.matchAll(patternOf(from))];
  if (found.length !== 1) throw new Error(`'${from}' is ${found.length} times in ${file}`);
  const { 0: text, index } = given(found[0]);
  return { start: index, end: index + text.length };
}

/**
 * The source of a file with one of its rules broken.
 * @throws Error where the rule does not stand there exactly once
 */
export function broken(source: string, mutation: Mutation): string {
  const { start, end } = placeOf(source, mutation);
  return source.slice(0, start) + mutation.to + source.slice(end);
}

const parsed = new Map<string, { plain: string; tree: AnyNode }>();

/** A source without its types, and its tree; most files have many rules. */
function parseOnce(source: string): { plain: string; tree: AnyNode } {
  const found = parsed.get(source);
  if (found) return found;
  const plain = stripTypeScriptTypes(source);
  const tree = parse(plain, { ecmaVersion: 'latest', sourceType: 'module' }) as AnyNode;
  parsed.set(source, { plain, tree });
  return { plain, tree };
}

/**
 * The innermost statement that holds a place, or the expression that is a function's body; outside
 * of any function the innermost expression. Declarations are seen by what follows them, so that the
 * block around them is taken.
 */
function around(tree: AnyNode, start: number, end: number): { node: AnyNode; inside: boolean } {
  let found: { node: AnyNode; inside: boolean } | undefined;
  const visit = (node: AnyNode, isBody: boolean): void => {
    if (node.start > start || node.end < end) return;
    if (isBody || (found?.inside && node.type.endsWith('Statement')))
      found = { node, inside: true };
    else if (!found?.inside && /Expression$|Literal$/.test(node.type))
      found = { node, inside: false };
    const body = /Function/.test(node.type) && 'body' in node ? node.body : undefined;
    for (const child of childrenOf(node)) visit(child, child === body);
  };
  visit(tree, false);
  return given(found);
}

/**
 * The mutation as a mutant that can be switched while the model runs: another statement in place of
 * the one in which the rule stands. A rule outside of any function decides when its module is
 * loaded.
 * @param source of its file
 * @param id unique over all mutants of a run
 * @throws Error where the rule does not stand there exactly once
 */
export function mutantOf(source: string, mutation: Mutation, id: number): Mutant {
  const place = placeOf(source, mutation);
  const { plain, tree } = parseOnce(source);
  const changed = stripTypeScriptTypes(broken(source, mutation));
  const { node, inside } = around(tree, place.start, place.end);
  return {
    id,
    file: mutation.file,
    line: source.slice(0, place.start).split('\n').length,
    start: node.start,
    end: node.end,
    from: mutation.from,
    to: changed.slice(node.start, node.end + changed.length - plain.length),
    rule: node.type.endsWith('Statement') ? 'statement' : 'constant',
    within: inside ? 'a function' : undefined,
  };
}
