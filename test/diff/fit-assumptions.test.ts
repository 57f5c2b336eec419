// SPDX-License-Identifier: GPL-2.0-only
import fc from 'fast-check';
import t from 'tap';
import { type Attempt, fitAssumptions } from '../../src/diff/fit-assumptions.ts';
import { PtdiffError } from '../../src/errors.ts';
import type { Evidence } from '../../src/evidence/capture.ts';
import { Assumptions } from '../../src/linux/assumptions.ts';
import type { KernelTraits } from '../../src/linux/kernel-traits.ts';
import { PredictedBug } from '../../src/model/bug.ts';
import { readGolden } from '../model/golden.ts';
import { soundContext } from './synthetic.ts';

const { traits } = readGolden('7.3.4+deb13-arm64@max+crashkernel.json.gz').question;
const { evidence } = soundContext();

/** An attempt with so many findings. */
function outcome(findings: number): Attempt {
  return {
    prediction: { derivation: [] },
    judgement: { findings: Array.from({ length: findings }, (_, index) => ({ id: `${index}` })) },
  } as unknown as Attempt;
}

/**
 * What a kernel leaves open whose Image shows neither of these, by the rules that it is taken for.
 */
function openTraits(rules: { dirty: boolean; keeps: boolean }) {
  const assumed = new Assumptions();
  assumed.trait('kernelDirty', undefined, {
    rule: rules.dirty,
    others: [true, false],
    says: (dirty) => `PAGE_KERNEL is ${dirty ? 'dirty' : 'clean'}`,
    why: 'its code is another',
  });
  assumed.trait('presentInvalid', undefined, {
    rule: rules.keeps,
    others: [true, false],
    says: (keeps) => `the bit is ${keeps ? 'kept' : 'lost'}`,
    why: 'its code is another',
  });
  const own = { ...traits, kernelDirty: rules.dirty, presentInvalid: rules.keeps };
  return { traits: own, assumptions: assumed.list, evidence };
}

t.test('what the Image shows is no assumption', async (t) => {
  const assumed = new Assumptions();
  const doubt = { rule: true, others: [false], says: String, why: '' };
  t.equal(assumed.trait('kernelDirty', false, doubt), false);
  t.same(assumed.list, []);
});

t.test(
  'the answer with the fewest findings is kept, and the sentence says what became of the other',
  async (t) => {
    const fit = fitAssumptions(openTraits({ dirty: false, keeps: true }), (candidate) =>
      outcome((candidate.kernelDirty ? 0 : 5) + (candidate.presentInvalid ? 1 : 3)),
    );
    t.equal(fit.traits.kernelDirty, true);
    t.equal(fit.judgement.findings.length, 1);
    t.same(fit.notes, [
      'Assumed that PAGE_KERNEL is dirty, since its code is another; that PAGE_KERNEL is clean, the rule of its release, does not fit (6 findings, not 1).',
      'Assumed that the bit is kept, the rule of its release, since its code is another; that the bit is lost does not fit (3 findings, not 1).',
    ]);
    t.same(
      fit.prediction.derivation.map(({ where, outcome: said }) => `${where}: ${said}`),
      ['assumed: PAGE_KERNEL is dirty', 'assumed: the bit is kept'],
    );
  },
);

t.test('where both fit, the rule of the release stands', async (t) => {
  for (const findings of [0, 2]) {
    const fit = fitAssumptions(openTraits({ dirty: false, keeps: true }), () => outcome(findings));
    t.equal(fit.traits.kernelDirty, false);
    t.match(
      fit.notes[0],
      /PAGE_KERNEL is clean, the rule of its release.*that PAGE_KERNEL is dirty fits as well/,
    );
  }
});

t.test(
  'an answer with which the model cannot go on does not fit; when none can, the error of the rule is told',
  async (t) => {
    const open = openTraits({ dirty: false, keeps: true });
    const fit = fitAssumptions(open, (candidate) => {
      if (!candidate.kernelDirty) throw new PredictedBug('BUG_ON()');
      return outcome(9);
    });
    t.equal(fit.traits.kernelDirty, true);
    t.match(fit.notes[0], /is clean, the rule of its release, does not fit\.$/);
    const never = () => {
      throw new PtdiffError('image', 'No symbol.');
    };
    t.throws(() => fitAssumptions(open, never), { message: 'No symbol.' });
    const broken = () => {
      throw new TypeError('a defect of ours');
    };
    t.throws(
      () => fitAssumptions(open, broken),
      { name: 'TypeError' },
      'is never taken for an answer',
    );
  },
);

t.test('a boot of which nothing was seen tells nothing', async (t) => {
  let attempts = 0;
  const blind: Evidence = { ...evidence, captures: [] };
  const fit = fitAssumptions(
    { ...openTraits({ dirty: true, keeps: true }), evidence: blind },
    () => {
      attempts++;
      return outcome(1);
    },
  );
  t.equal(attempts, 1);
  t.match(fit.notes[0], /that PAGE_KERNEL is clean was not tried\.$/);
});

t.test(
  'whatever the findings, the best fit is no worse than the rule, and at most eight predictions are made',
  async () => {
    const options = [
      'kfenceEarlyInit',
      'rodataFull',
      'debugPageallocDefault',
      'fujitsuErratum010001',
      'haft',
      'mte',
    ] as const;
    const key = (candidate: KernelTraits): string =>
      options.map((name) => Number(candidate.config[name])).join('');
    fc.assert(
      fc.property(
        fc.func(fc.nat({ max: 9 })),
        fc.nat({ max: options.length }),
        (findingsOf, count) => {
          const assumed = new Assumptions();
          const says = String;
          for (const name of [...options, ...options].slice(0, count + 3)) {
            assumed.option(name, undefined, {
              rule: traits.config[name],
              others: [true, false],
              says,
              why: '',
            });
          }
          let attempts = 0;
          const fit = fitAssumptions(
            { traits, assumptions: assumed.list, evidence },
            (candidate) => {
              attempts++;
              return outcome(findingsOf(key(candidate)));
            },
          );
          const found = fit.judgement.findings.length;
          return (
            attempts <= 8 &&
            found <= findingsOf(key(traits)) &&
            found === findingsOf(key(fit.traits))
          );
        },
      ),
    );
  },
);
