// SPDX-License-Identifier: GPL-2.0-only
import fc from 'fast-check';
import { bootEndId } from '../../../src/diff/boot-end.ts';
import type { CaseResult, Finding, Verdict } from '../../../src/diff/types.ts';
import { checkpointNames, earlyEnds } from '../../../src/evidence/capture.ts';
import type { RunResults } from '../../../src/report/export/outline.ts';
import { countVerdicts } from '../../../src/report/verdicts.ts';
import { anyCharacter } from '../../any-character.ts';
import { given } from '../../given.ts';
import { sampleReport } from '../sample-run.ts';

/**
 * What breaks formats: their own syntax, markup, control sequences, and characters that are none.
 */
const poison = fc.oneof(
  fc.constantFrom(
    'KTAP version 1',
    '\nok 1 - forged',
    '\n1..0',
    ' # SKIP forged',
    '# Subtest: forged',
    '\\',
    ']]>',
    '<failure/>',
    '--><!--',
    '&amp;&#0;',
    '"\'',
    '\u001b[2J\u001b]0;title\u0007',
    '\u0000',
    '\ud800',
    '\uffff',
    '\u202e',
    '\r\n',
    '\r',
    '…',
  ),
  fc.string({ unit: anyCharacter, maxLength: 40 }),
);
export const hostileText = fc.array(poison, { maxLength: 6 }).map((parts) => parts.join(''));

const finding: fc.Arbitrary<Finding> = fc.record(
  {
    id: fc.oneof(hostileText, fc.constantFrom(...earlyEnds.map(bootEndId), 'invariant/x/y@init')),
    kind: fc.constantFrom('mismatch', 'invariant', 'update', 'splat'),
    title: hostileText,
    detail: hostileText,
    checkpoint: fc.constantFrom(...checkpointNames),
    known: fc.oneof(fc.constant('split-before-caps-final'), hostileText),
  },
  { requiredKeys: ['id', 'kind', 'title', 'detail'] },
);

const outcome = fc.record(
  {
    /** What the boot came to, apart from its findings. */
    end: fc.constantFrom<Verdict>('fail', 'hang', 'crash', 'error'),
    findings: fc.array(finding, { maxLength: 3 }),
    reason: hostileText,
    consoleTail: hostileText,
  },
  { requiredKeys: ['end', 'findings', 'consoleTail'] },
);

/** The verdict that judge() would give. */
function verdictOf(end: Verdict, findings: readonly Finding[]): Verdict {
  if (end === 'error') return 'error';
  if (findings.length === 0) return 'pass';
  return findings.every(({ known }) => known !== undefined) ? 'known' : end;
}

const sample = sampleReport(0.02);

/**
 * A run of a few cases of the sample, with hostile text wherever a guest or a file could have put
 * it.
 */
export const hostileResults: fc.Arbitrary<RunResults> = fc
  .array(outcome, { minLength: 1, maxLength: 5 })
  .map((outcomes) => {
    const cases = sample.cases.slice(0, outcomes.length).map((result, index): CaseResult => {
      const { consoleTail: _, end, ...rest } = given(outcomes[index]);
      return { ...result, ...rest, verdict: verdictOf(end, rest.findings) };
    });
    const dossiers = new Map(
      cases.map((result, index) => [
        result.case,
        { case: result.case, drawings: [], consoleTail: given(outcomes[index]).consoleTail },
      ]),
    );
    return { ...sample, cases, dossiers, run: { ...sample.run, counts: countVerdicts(cases) } };
  });
