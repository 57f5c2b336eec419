// SPDX-License-Identifier: GPL-2.0-only
import type { CaseResult } from '../../diff/types.ts';
import { depthOf } from '../../scenario/depth.ts';
import { depthWords } from '../early.ts';
import { fit, plainLine } from '../plain-text.ts';
import { type Check, checksOf } from './checks.ts';
import { findingLines, knownIds } from './finding-text.ts';
import { type OutlinedCase, type OutlinedKernel, outlineOf, type RunResults } from './outline.ts';

/** A node of the tree of results, which may have any depth in KTAP. */
interface KtapTest {
  name: string;
  ok: boolean;
  /** SKIP, XFAIL, TIMEOUT or ERROR, and the text after it. */
  directive?: string;
  /** Diagnostic lines before the result. */
  diagnostics: string[];
  subtests: KtapTest[];
}

const mostWords = 200;

/** What follows the hash sign of a result: one line, without a second directive. */
function directive(keyword: string, words: string): string {
  return `${keyword} ${fit(plainLine(words), mostWords)}`.trim();
}

/**
 * A known issue is 'ok … # XFAIL', as kselftest prints it (tools/testing/selftests/kselftest.h): a
 * parser that does not know the directive uses the result, and a night with known issues only is a
 * good one.
 */
function checkTest(
  { name, outcome, findings }: Check,
  { verdict, reason = '' }: CaseResult,
): KtapTest {
  const words: Record<Check['outcome'], string | undefined> = {
    pass: undefined,
    fail: name === 'boot' && verdict === 'hang' ? directive('TIMEOUT', reason) : undefined,
    known: directive('XFAIL', `known issue ${knownIds(findings).join(', ')}`),
    skipped: directive('SKIP', 'the boot did not get there'),
    unpredicted: directive('SKIP', 'no prediction: only invariants were checked'),
  };
  return {
    name,
    ok: outcome !== 'fail',
    ...(words[outcome] && { directive: words[outcome] }),
    diagnostics: findings.flatMap(findingLines),
    subtests: [],
  };
}

function caseTest({ scenario, result }: OutlinedCase): KtapTest {
  const name = scenario;
  if (result === undefined) {
    const skipped = directive('SKIP', 'not run: the run ended before');
    return { name, ok: true, directive: skipped, diagnostics: [], subtests: [] };
  }
  const subtests = checksOf(result).map((check) => checkTest(check, result));
  const { verdict, reason = '' } = result;
  const ok = verdict === 'pass' || verdict === 'known';
  const special = verdict === 'error' ? { directive: directive('ERROR', reason) } : {};
  const diagnostics = [
    ...(depthOf(result) === 'early' ? [`depth: ${depthWords(result)}`] : []),
    ...(ok || reason === '' ? [] : [plainLine(`${verdict}: ${reason}`)]),
  ];
  return { name, ok, ...special, diagnostics, subtests };
}

function kernelTest({ label, spec, cases }: OutlinedKernel): KtapTest {
  const subtests = cases.map(caseTest);
  const skipped = subtests.every((test) => test.directive?.startsWith('SKIP'));
  return {
    name: label,
    ok: subtests.every(({ ok }) => ok),
    ...(skipped && { directive: directive('SKIP', 'no case was run') }),
    diagnostics: [plainLine(`kernel ${spec}`)],
    subtests,
  };
}

/** A description may be any text without '#'. */
function description(name: string): string {
  return fit(plainLine(name).replaceAll('#', '_'), mostWords);
}

/** A result with everything that belongs to it, at the nesting level of `indent`. */
function testLines(test: KtapTest, number: number, indent: string): string[] {
  const words = test.directive === undefined ? '' : ` # ${test.directive}`;
  return [
    ...(test.subtests.length === 0 ? [] : planLines(test.subtests, `${indent}  `)),
    // With two more spaces, no line of evidence can look like a '# Subtest:' header of the KTAP
    // dialects.
    ...test.diagnostics.map((line) => `${indent}#   ${line}`.trimEnd()),
    `${indent}${test.ok ? 'ok' : 'not ok'} ${number} ${description(test.name)}${words}`,
  ];
}

/** A version line, a plan, and the tests. */
function planLines(tests: readonly KtapTest[], indent: string): string[] {
  return [
    `${indent}KTAP version 1`,
    `${indent}1..${tests.length}`,
    ...tests.flatMap((test, index) => testLines(test, index + 1, indent)),
  ];
}

/**
 * A run as KTAP version 1 (Documentation/dev-tools/ktap.rst of the kernel): one test per kernel,
 * below it one per scenario, and below that one for each check. Ends with a newline.
 */
export function formatKtap(results: RunResults): string {
  return `${planLines(outlineOf(results).map(kernelTest), '').join('\n')}\n`;
}
