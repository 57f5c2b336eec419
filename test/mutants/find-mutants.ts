// SPDX-License-Identifier: GPL-2.0-only
import { stripTypeScriptTypes } from 'node:module';
import { type AnyNode, parse } from 'acorn';
import { given } from '../given.ts';

/** One way to break a source file: the text at [start, end) becomes `to`. */
export interface Mutant {
  /** Unique over all files of a run, from 0. */
  id: number;
  /** Path from the root of the repository. */
  file: string;
  /** 1-based. */
  line: number;
  start: number;
  end: number;
  from: string;
  to: string;
  /** The rule that made it; `statement` puts others in place of a statement. */
  rule: 'comparison' | 'condition' | 'boolean' | 'constant' | 'call' | 'statement';
  /**
   * Name of the function that it is in; a mutant outside of any decides when the module is loaded,
   * and never again.
   */
  within: string | undefined;
}

/** What a comparison becomes: its opposite, and the border case. */
const comparisons = new Map([
  ['===', ['!==']],
  ['!==', ['===']],
  ['<', ['<=', '>=']],
  ['<=', ['<', '>']],
  ['>', ['>=', '<=']],
  ['>=', ['>', '<']],
]);

/** Calls of methods that have an opposite. */
const opposites = new Map([
  ['some', 'every'],
  ['every', 'some'],
  ['min', 'max'],
  ['max', 'min'],
  ['floor', 'ceil'],
  ['ceil', 'floor'],
]);

/** Calls that give of their object what matters: without them it is taken as it is. */
const selections = new Set(['filter', 'sort', 'toSorted', 'slice', 'reverse']);

/** Words for the reader, on which nothing depends: what is said of a decision, and of an error. */
function isTold(node: AnyNode): boolean {
  if (node.type === 'NewExpression')
    return node.callee.type === 'Identifier' && node.callee.name.endsWith('Error');
  if (node.type !== 'CallExpression') return false;
  const { callee } = node;
  if (callee.type === 'Identifier') return callee.name === 'why';
  return (
    callee.type === 'MemberExpression' &&
    callee.property.type === 'Identifier' &&
    callee.property.name === 'why'
  );
}

type Edit = Pick<Mutant, 'start' | 'end' | 'to' | 'rule'>;

/** The text of a source file between two nodes, as mutants put it. */
type TextOf = (node: { start: number; end: number }) => string;

/**
 * Both truths of a condition: it is shown to decide alone when each of them is noticed. An object,
 * a list or a word is always taken for true.
 */
function conditionEdits(node: AnyNode): Edit[] {
  const isTrue =
    node.type === 'ObjectExpression' ||
    node.type === 'ArrayExpression' ||
    (node.type === 'Literal' && typeof node.value === 'string' && node.value !== '');
  return [...(isTrue ? [] : ['true']), 'false'].map((to) => ({
    start: node.start,
    end: node.end,
    to,
    rule: 'condition',
  }));
}

function binaryEdits(node: AnyNode & { type: 'BinaryExpression' }, text: TextOf): Edit[] {
  const { left, right, operator, start, end } = node;
  return (comparisons.get(operator) ?? []).map((other) => ({
    ...{ start, end, rule: 'comparison' },
    to: `(${text(left)}) ${other} (${text(right)})`,
  }));
}

function literalEdits(node: AnyNode & { type: 'Literal' }): Edit[] {
  const { value, start, end } = node;
  if (typeof value === 'boolean') return [{ start, end, to: String(!value), rule: 'boolean' }];
  if (typeof value === 'number') return [{ start, end, to: String(value + 1), rule: 'constant' }];
  return typeof value === 'bigint' ? [{ start, end, to: `${value + 1n}n`, rule: 'constant' }] : [];
}

function callEdits(node: AnyNode & { type: 'CallExpression' }, text: TextOf): Edit[] {
  const { callee, start, end } = node;
  if (
    callee.type !== 'MemberExpression' ||
    callee.property.type !== 'Identifier' ||
    callee.optional
  )
    return [];
  const { name } = callee.property;
  if (selections.has(name)) return [{ start, end, to: `(${text(callee.object)})`, rule: 'call' }];
  const other = opposites.get(name);
  if (other === undefined) return [];
  const rest = text({ start: callee.property.end, end });
  return [{ start, end, to: `(${text(callee.object)}).${other}${rest}`, rule: 'call' }];
}

/** The mutants of one node, by the rules. */
function editsOf(node: AnyNode, text: TextOf): Edit[] {
  switch (node.type) {
    case 'BinaryExpression':
      return binaryEdits(node, text);
    case 'LogicalExpression': {
      const { left, right, start, end } = node;
      if (node.operator !== '??') return [...conditionEdits(left), ...conditionEdits(right)];
      return [left, right].map((side) => ({ start, end, to: `(${text(side)})`, rule: 'boolean' }));
    }
    case 'UnaryExpression':
      return node.operator === '!'
        ? [{ start: node.start, end: node.end, to: `!!(${text(node.argument)})`, rule: 'boolean' }]
        : [];
    case 'IfStatement':
    case 'ConditionalExpression':
      return conditionEdits(node.test);
    case 'Literal':
      return literalEdits(node);
    case 'CallExpression':
      return callEdits(node, text);
    case 'ExpressionStatement': {
      const { expression } = node;
      const isCall = expression.type === 'CallExpression' && !isTold(expression);
      return isCall
        ? [{ start: expression.start, end: expression.end, to: 'undefined', rule: 'call' }]
        : [];
    }
    default:
      return [];
  }
}

const isNode = (value: unknown): value is AnyNode =>
  typeof value === 'object' && value !== null && 'type' in value && 'start' in value;

/** Nodes directly below one. */
export function* childrenOf(node: AnyNode): Generator<AnyNode> {
  for (const value of Object.values(node)) {
    if (Array.isArray(value)) yield* value.filter(isNode);
    else if (isNode(value)) yield value;
  }
}

function nameOf(node: AnyNode, parent: AnyNode | undefined): string {
  if ('id' in node && node.id?.type === 'Identifier') return node.id.name;
  if (parent?.type === 'VariableDeclarator' && parent.id.type === 'Identifier')
    return parent.id.name;
  return parent?.type === 'MethodDefinition' && parent.key.type === 'Identifier'
    ? parent.key.name
    : 'a function';
}

/**
 * All mutants of a TypeScript source file. Types are replaced by blanks, so that places in it are
 * places in the source.
 * @param firstId number of the first
 * @throws SyntaxError for a file that is no TypeScript
 */
export function findMutants(file: string, source: string, firstId: number): Mutant[] {
  const plain = stripTypeScriptTypes(source);
  const text: TextOf = ({ start, end }) => plain.slice(start, end);
  const found: Mutant[] = [];
  const seen = new Set<string>();
  const visit = (node: AnyNode, parent: AnyNode | undefined, within: string | undefined): void => {
    if (isTold(node) || node.type === 'ImportDeclaration' || node.type === 'TemplateElement')
      return;
    // Keys of objects and patterns are names.
    const inside =
      /Function/.test(node.type) && within === undefined ? nameOf(node, parent) : within;
    for (const edit of editsOf(node, text)) {
      const key = `${edit.start} ${edit.end} ${edit.to}`;
      if (seen.has(key) || text(edit) === edit.to) continue;
      seen.add(key);
      const line = source.slice(0, edit.start).split('\n').length;
      found.push({
        id: firstId + found.length,
        file,
        line,
        ...edit,
        from: text(edit),
        within: inside,
      });
    }
    for (const child of childrenOf(node)) {
      const isKey = node.type === 'Property' && child === node.key && !node.computed;
      if (!isKey) visit(child, node, inside);
    }
  };
  visit(
    parse(plain, { ecmaVersion: 'latest', sourceType: 'module' }) as AnyNode,
    undefined,
    undefined,
  );
  return found;
}

/** An edit with those that lie inside it. */
interface Nest {
  start: number;
  end: number;
  mutants: Mutant[];
}

/** A place with its mutants, as JavaScript that chooses between them while it runs. */
function choice(mutants: readonly Mutant[], unbroken: string): string {
  if (mutants.some(({ rule }) => rule === 'statement'))
    return mutants.reduce(
      (rest, { id, to }) => `{if(ptdiffMutant(${id})){${to}}else${rest}}`,
      `{${unbroken}}`,
    );
  const truth = (to: string) =>
    mutants.find((mutant) => mutant.rule === 'condition' && mutant.to === to);
  const [always, never] = [truth('true'), truth('false')];
  const seen = never ? `ptdiffSaw((${unbroken}),${always?.id},${never.id})` : unbroken;
  return mutants.reduce((rest, { id, to, rule }) => {
    const ask = rule === 'condition' ? 'ptdiffForced' : 'ptdiffMutant';
    return `(${ask}(${id})?(${to}):${rest})`;
  }, `(${seen})`);
}

/**
 * The source with all its mutants in it, as JavaScript: each is chosen while it runs by the
 * functions of `globalThis.ptdiffSwitch`. `ptdiffMutant(id)` and, of a condition's truths,
 * `ptdiffForced(id)` say whether one is in force; `ptdiffSaw(value, always, never)` is told what an
 * unbroken condition gave, and gives it back.
 * @param mutants of this file
 */
export function withMutants(source: string, mutants: readonly Mutant[]): string {
  const plain = stripTypeScriptTypes(source);
  const places = Map.groupBy(mutants, ({ start, end }) => `${start} ${end}`);
  const nests = [...places.values()]
    .map(
      (group): Nest => ({ start: given(group[0]).start, end: given(group[0]).end, mutants: group }),
    )
    .sort((left, right) => left.start - right.start || right.end - left.end);
  /** Renders [start, end) with the nests from `index` on that lie in it. */
  const render = (start: number, end: number, from: number): { text: string; next: number } => {
    let text = '';
    let at = start;
    let index = from;
    while (index < nests.length && given(nests[index]).start < end) {
      const nest = given(nests[index]);
      const inner = render(nest.start, nest.end, index + 1);
      text += plain.slice(at, nest.start) + choice(nest.mutants, inner.text);
      at = nest.end;
      index = inner.next;
    }
    return { text: text + plain.slice(at, end), next: index };
  };
  const { text } = render(0, plain.length, 0);
  return `const { ptdiffMutant, ptdiffForced, ptdiffSaw } = globalThis.ptdiffSwitch; ${text}`;
}
