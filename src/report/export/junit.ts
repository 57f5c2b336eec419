// SPDX-License-Identifier: GPL-2.0-only
import type { CaseResult } from '../../diff/types.ts';
import { depthOf, depths } from '../../scenario/depth.ts';
import { depthWords } from '../early.ts';
import { plainLine, plainText } from '../plain-text.ts';
import type { RunRecord } from '../types.ts';
import { findingLines, knownIds } from './finding-text.ts';
import { type OutlinedCase, type OutlinedKernel, outlineOf, type RunResults } from './outline.ts';

const entities: Record<string, string> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;' };

/** Plain text contains no character that XML 1.0 forbids. */
function escapeXml(text: string): string {
  return plainText(text).replaceAll(/[&<>"]/g, (character) => entities[character] ?? character);
}

/** An element; `content` is already XML. */
function element(
  name: string,
  attributes: Record<string, string | number>,
  content: readonly string[] = [],
): string {
  const list = Object.entries(attributes).map(
    ([key, value]) => ` ${key}="${escapeXml(plainLine(String(value)))}"`,
  );
  const head = `${name}${list.join('')}`;
  return content.length === 0 ? `<${head}/>` : `<${head}>${content.join('')}</${name}>`;
}

type Outcome = 'passed' | 'failed' | 'errored' | 'skipped';

/** How a verdict is expressed; a case without a verdict was not run. */
function outcomeOf(result: CaseResult | undefined): Outcome {
  if (result === undefined) return 'skipped';
  const outcomes: Record<CaseResult['verdict'], Outcome> = {
    pass: 'passed',
    known: 'skipped',
    fail: 'failed',
    hang: 'failed',
    crash: 'failed',
    error: 'errored',
  };
  return outcomes[result.verdict];
}

/** The line that a server shows in its list of failures. */
function failureMessage({ verdict, findings, reason }: CaseResult): string {
  const fresh = findings.filter(({ known }) => known === undefined);
  const [first] = fresh.length > 0 ? fresh : findings;
  const more = fresh.length > 1 ? ` (and ${fresh.length - 1} more)` : '';
  return verdict === 'fail' || reason === undefined ? `${first?.title ?? verdict}${more}` : reason;
}

/** Servers keep one failure per test: all findings go into it. */
function textOf(result: CaseResult): string[] {
  const lines = [
    ...(result.reason === undefined ? [] : [result.reason, '']),
    ...result.findings.flatMap(findingLines),
  ];
  return lines.length === 0 ? [] : [escapeXml(`\n${lines.join('\n')}\n`)];
}

function verdictElements(result: CaseResult | undefined): string[] {
  if (result === undefined)
    return [element('skipped', { message: 'not run: the run ended before' })];
  switch (result.verdict) {
    case 'pass':
      return [];
    case 'known':
      return [
        element('skipped', { message: `known issue ${knownIds(result.findings).join(', ')}` }),
      ];
    case 'error':
      return [
        element('error', { type: 'error', message: result.reason ?? 'error' }, textOf(result)),
      ];
    default:
      return [
        element(
          'failure',
          { type: result.verdict, message: failureMessage(result) },
          textOf(result),
        ),
      ];
  }
}

/** What a server shows besides the verdict. */
function outputElements(result: CaseResult | undefined): string[] {
  if (result === undefined) return [];
  const words = depthOf(result) === 'early' ? [escapeXml(`\nDepth: ${depthWords(result)}\n`)] : [];
  const content = [...words, ...(result.verdict === 'known' ? textOf(result) : [])];
  return content.length === 0 ? [] : [element('system-out', {}, content)];
}

/** Both schemas allow a test no properties; its group is the depth. */
function testcase(kernel: string, { scenario, depth, result }: OutlinedCase): string {
  const time = (result?.seconds ?? 0).toFixed(3);
  return element('testcase', { name: scenario, classname: className(kernel), group: depth, time }, [
    ...verdictElements(result),
    ...outputElements(result),
  ]);
}

/** Servers treat a dot as the border between package and class. */
function className(kernel: string): string {
  return `ptdiff.${kernel.replaceAll('.', '_')}`;
}

/** Counts of a suite as its attributes. */
function countsOf(
  cases: readonly OutlinedCase[],
): Record<'tests' | 'failures' | 'errors' | 'skipped' | 'time', string> {
  const count = (outcome: Outcome) =>
    String(cases.filter(({ result }) => outcomeOf(result) === outcome).length);
  const seconds = cases.reduce((sum, { result }) => sum + (result?.seconds ?? 0), 0);
  return {
    tests: String(cases.length),
    failures: count('failed'),
    errors: count('errored'),
    skipped: count('skipped'),
    time: seconds.toFixed(3),
  };
}

function properties(run: RunRecord, { spec, cases }: OutlinedKernel): string {
  const kernel = run.kernels.find((each) => each.spec === spec);
  const known: Record<string, string | undefined> = {
    kernel: spec,
    'kernel version': kernel?.version,
    'Image sha256': kernel?.sha256,
    emulator: `QEMU ${run.emulator.version}`,
    'emulator sha256': run.emulator.sha256,
    ...Object.fromEntries(
      depths.map((depth) => {
        const own = cases.filter((each) => each.depth === depth);
        return [`cases of depth ${depth}`, String(own.length)];
      }),
    ),
    started: run.started,
    ptdiff: [run.ptdiff.version, run.ptdiff.commit].join(' ').trim(),
  };
  const list = Object.entries(known).flatMap(([name, value]) =>
    value === undefined ? [] : [element('property', { name, value })],
  );
  return element('properties', {}, list);
}

function testsuite(run: RunRecord, kernel: OutlinedKernel): string {
  const { label: name, cases } = kernel;
  const content = [properties(run, kernel), ...cases.map((each) => testcase(name, each))];
  return element('testsuite', { name, ...countsOf(cases) }, ['\n', content.join('\n'), '\n']);
}

/**
 * A run as JUnit XML, valid for Jenkins (junit-10.xsd of its xunit plugin), and each suite for
 * Surefire (surefire-test-report-3.0.xsd): one suite per kernel, one test per scenario. What the
 * harness, emulator or host did is an `error`; what the kernel did is a `failure`. A case with
 * known issues only is `skipped` with their names; servers show it beside the passed ones without
 * an alarm. The depth of a case is its group. Ends with a newline.
 */
export function formatJunit(results: RunResults): string {
  const kernels = outlineOf(results);
  const { skipped: _, ...counts } = countsOf(kernels.flatMap(({ cases }) => cases));
  const suites = kernels.map((kernel) => `${testsuite(results.run, kernel)}\n`);
  return `<?xml version="1.0" encoding="UTF-8"?>\n${element('testsuites', { name: 'ptdiff', ...counts }, ['\n', ...suites])}\n`;
}
