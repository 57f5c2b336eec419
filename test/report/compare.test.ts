// SPDX-License-Identifier: GPL-2.0-only
import fc from 'fast-check';
import t from 'tap';
import { compareCases } from '../../src/compare/compare-case.ts';
import type { ComparedCase } from '../../src/compare/types.ts';
import type { DerivationStep } from '../../src/model/types.ts';
import { formatComparisonHtml } from '../../src/report/compare/html.ts';
import { comparisonJson } from '../../src/report/compare/json.ts';
import { formatComparison } from '../../src/report/compare/text.ts';
import type { ComparisonReport } from '../../src/report/compare/types.ts';
import { makeDossier } from '../../src/report/dossier.ts';
import { anyCharacter } from '../any-character.ts';
import { goldenCase } from '../compare/golden-case.ts';
import { given } from '../given.ts';
import { parseStrictly, textOf } from './html-tree.ts';

const side = (asked: string) => ({
  asked,
  kernels: [{ spec: asked, release: asked, sha256: 'ab'.repeat(32) }],
  folder: 'run',
  emulator: { version: '11.1.3', sha256: 'cd'.repeat(32) },
  initramfs: 'ef'.repeat(32),
  model: '0.1.0',
});

function reportOf(pairs: [name: string, a: ComparedCase, b: ComparedCase][]): ComparisonReport {
  const dossier = ({ result, prediction, evidence }: ComparedCase) =>
    makeDossier(result.case, {
      prediction: prediction && { newerThanKnown: false, probes: [], ...prediction },
      captures: evidence?.captures ?? [],
      differences: {},
    });
  return {
    sides: { a: side('debian:7.0'), b: side('debian:7.3') },
    unlike: [],
    refused: [],
    uncompared: [],
    pairs: pairs.map(([name, a, b]) => compareCases(name, { a, b })),
    drawings: new Map(pairs.map(([name, a, b]) => [name, { a: dossier(a), b: dossier(b) }])),
  };
}

const before = '7.0.13+deb13-arm64@realm-late-rsi';
const after = '7.3.4+deb13-arm64@realm+max+noalias+kfence100';
const changed = (): ComparisonReport =>
  reportOf([
    ['realm-late-rsi', goldenCase(before), goldenCase(after)],
    ['unchanged', goldenCase(before), goldenCase(before)],
  ]);

t.test('no change is said plainly, with how much was compared', async (t) => {
  const report = reportOf([['realm-late-rsi', goldenCase(before), goldenCase(before)]]);
  const text = formatComparison(report);
  t.match(text, /^No change in 1 scenario\.$/m);
  t.match(
    text.replaceAll(/\s+/g, ' '),
    /Compared: 1 scenario, 3 checkpoints, [\d,]+ leaves, \d+ decisions, 21 registers, 1 probe\./,
  );
  t.match(formatComparisonHtml(report), /<h1>No change in 1 scenario\.<\/h1>/);
});

t.test('nothing compared is not "no change"', async (t) => {
  const report = {
    ...reportOf([]),
    refused: [{ name: 'max', reasons: ['machine.memory 1024, 2048'] }],
  };
  const text = formatComparison(report);
  t.match(text, 'Nothing could be compared.');
  t.notMatch(text, /No change/);
  t.match(text, /max: machine\.memory 1024, 2048/);
});

t.test('a mail has 72 columns, each difference once, and the rule that explains it', async (t) => {
  const text = formatComparison(changed());
  t.same(
    text.split('\n').filter((line) => line.length > 72),
    [],
  );
  t.match(text, /differences in 1 of 2 scenarios; no change in the other 1\./);
  t.equal(text.match(/memory shared with the host/g)?.length, 1);
  t.match(text, /^ {5}mark_linear_data_alias_valid\(false\) \(arch.*\n {5}B {2}/m);
  t.match(text, /arch\/arm64\/mm\/mmu\.c \(7\.3\)/);
});

/** A pair whose sides differ in nothing but a flag, with the model's steps given. */
function pairOf(name: string, key: string, steps: Record<'a' | 'b', DerivationStep[]>) {
  const pair = compareCases(name, { a: goldenCase(before), b: goldenCase(before) });
  const flag = { key, aspect: 'variable' as const, subject: name, a: '0', b: '1', checkpoints: [] };
  return { ...pair, differences: [flag], derivation: steps };
}

const step = (where: string, outcome: string): DerivationStep => ({
  where: `${where}()`,
  outcome,
  source: `${where}.c`,
});

t.test(
  'a mail names a function once, and what a group above has told is not repeated',
  async (t) => {
    const late = step('arm64_rsi_init', 'late');
    const early = step('arm64_rsi_init', 'early');
    const cpus = [step('cpu_supports_bbml3', 'no'), step('cpu_supports_bbml3', 'yes')] as const;
    const report = {
      ...reportOf([]),
      pairs: [
        pairOf('first', 'variable/rsi_present/0 → 1', { a: [late], b: [early] }),
        pairOf('second', 'variable/linear_map_requires/0 → 1', {
          a: [cpus[0], late],
          b: [early, cpus[1]],
        }),
      ],
    };
    const text = formatComparison(report);
    t.match(
      text,
      [
        '     arm64_rsi_init() (arm64_rsi_init.c)',
        '     A  late',
        '     B  early',
        '',
        '2. In second:',
      ].join('\n'),
    );
    t.match(
      text,
      [
        '     arm64_rsi_init(): as in 1',
        '     cpu_supports_bbml3() (cpu_supports_bbml3.c)',
        '     A  no',
        '     B  yes',
        '',
      ].join('\n'),
    );
    t.same(
      JSON.parse(comparisonJson(report)).groups[1].reason.steps.map(
        ({ side, step: { outcome } }: { side: string; step: DerivationStep }) => [side, outcome],
      ),
      [
        ['A', 'no'],
        ['B', 'yes'],
        ['A', 'late'],
        ['B', 'early'],
      ],
      'a reader of the JSON has every group whole',
    );
  },
);

t.test('what both kernels do alike is one line', async (t) => {
  const same = [step('arm64_rsi_init', 'late')];
  const report = {
    ...reportOf([]),
    pairs: [pairOf('first', 'variable/rsi_present/0 → 1', { a: same, b: same })],
  };
  t.match(formatComparison(report), '     arm64_rsi_init() (arm64_rsi_init.c)\n     A, B  late\n');
  t.match(formatComparisonHtml(report), '<b>A, B</b> <code>arm64_rsi_init()</code>');
});

t.test('the page draws both maps and is well-formed', async (t) => {
  const { errors, elements } = parseStrictly(formatComparisonHtml(changed()));
  t.same(errors, []);
  const labels = elements.filter(({ tagName }) => tagName === 'text').map(textOf);
  t.ok(labels.includes('A') && labels.includes('B'));
  t.notOk(labels.includes('predicted'));
});

t.test('text of a guest stays text, in a mail and in a page', async (t) => {
  const hostile = fc.oneof(
    fc.string({ unit: anyCharacter, maxLength: 40 }),
    fc.constantFrom('</p><script>', '\u001b[2J', '\ud800', '"'),
  );
  const [a, b] = [goldenCase(before), goldenCase(before)];
  b.result.findings = [{ id: 'splat/x', kind: 'splat', title: 'x', detail: '' }];
  const plain = { ...reportOf([['x', a, b]]), drawings: new Map() };
  fc.assert(
    fc.property(hostile, (text) => {
      const pair = given(plain.pairs[0]);
      const differences = pair.differences.map((each) => ({
        ...each,
        subject: text,
        a: text,
        b: text,
      }));
      const report = {
        ...plain,
        pairs: [{ ...pair, differences }],
        uncompared: [{ name: text, reason: text, failed: true }],
      };
      const mail = formatComparison(report);
      const clean = [...mail].every((character) => character === '\n' || character >= ' ');
      return clean && parseStrictly(formatComparisonHtml(report)).errors.length === 0;
    }),
    { numRuns: 40 },
  );
  t.pass();
});

t.test('the JSON has every group and every scenario, the same on every day', async (t) => {
  const text = comparisonJson(changed());
  t.equal(text, comparisonJson(changed()));
  const value = JSON.parse(text);
  t.equal(value.schema, 1);
  t.equal(value.scenarios.length, 2);
  t.same(value.scenarios[1].differences, []);
  t.ok(
    value.groups[0].differences.every(({ key }: { key: string }) =>
      value.scenarios[0].differences.includes(key),
    ),
  );
});
