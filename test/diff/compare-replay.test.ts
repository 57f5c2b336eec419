// SPDX-License-Identifier: GPL-2.0-only
import t from 'tap';
import {
  compareReplay,
  isReproduced,
  isSameMap,
  type JudgedBoot,
} from '../../src/diff/compare-replay.ts';
import type { Finding } from '../../src/diff/types.ts';
import type { Capture } from '../../src/evidence/capture.ts';
import { formatReplay } from '../../src/report/replay.ts';
import { given } from '../given.ts';
import { layout, leafRun, MiB } from '../report/sample-layout.ts';
import { mismatch, sampleReport } from '../report/sample-run.ts';
import { decisions } from './sample-decisions.ts';

const result = given(sampleReport(0.02).cases[0]);
const leaves = layout({ large: true, kfence: true, imageAt: 2 * MiB, hole: false }).map((run) =>
  run.why === 'KFENCE pool' ? { ...run, alternatives: [run.attributes & ~1n] } : run,
);
const linearRegion = { start: given(leaves[0]).va, end: given(leaves[0]).va + 2n ** 40n };
const captureOf = (found: typeof leaves) =>
  ({ checkpoint: 'init', ttbr1: { leaves: found } }) as unknown as Capture;

const recorded: JudgedBoot = {
  result: { ...result, findings: [mismatch], verdict: 'fail' },
  prediction: { linearRegion, decisions, checkpoints: { init: { leaves } } },
  evidence: { captures: [captureOf(leaves)] },
};

t.test('the same boot again', async (t) => {
  const comparison = compareReplay(recorded, structuredClone(recorded));
  t.ok(isReproduced(comparison) && isSameMap(comparison));
  t.same(formatReplay('a@b', comparison, { colour: false }).split('\n'), [
    'a@b: reproduced, the same 1 finding; verdict fail',
    `  both       ${mismatch.id}`,
    '  prediction and linear map are the same, leaf by leaf',
    '',
  ]);
});

t.test('another finding and a missing one', async (t) => {
  const other: Finding = { ...mismatch, id: 'splat/other' };
  const now = {
    ...recorded,
    result: { ...recorded.result, findings: [other], verdict: 'known' as const },
  };
  const comparison = compareReplay(recorded, now);
  t.match(comparison, { shared: { length: 0 }, gone: [mismatch.id], fresh: ['splat/other'] });
  t.notOk(isReproduced(comparison));
  t.match(
    formatReplay('a@b', comparison, { colour: false }),
    /differs in its findings\n {2}only now {3}splat\/other\n {2}only then/,
  );
  t.match(formatReplay('a@b', comparison, { colour: false }), 'verdict known, recorded fail');
});

t.test('what the model leaves open is no difference, anything else is', async (t) => {
  const invalid = (run: (typeof leaves)[number]) => ({
    ...run,
    valid: false,
    attributes: run.attributes & ~1n,
  });
  const moved = leaves.map((run) => (run.why === 'KFENCE pool' ? invalid(run) : run));
  t.ok(
    isSameMap(compareReplay(recorded, { ...recorded, evidence: { captures: [captureOf(moved)] } })),
  );
  const text = leaves.map((run) =>
    run.why === 'kernel text and rodata alias'
      ? leafRun(run.pa, run.size, 'contPte', 'rw', run.why)
      : run,
  );
  const comparison = compareReplay(recorded, {
    ...recorded,
    evidence: { captures: [captureOf(text)] },
  });
  t.same(comparison.found, [{ checkpoint: 'init', stretches: 1, bytes: 28 * MiB }]);
  t.ok(isReproduced(comparison), 'findings decide');
  t.match(
    formatReplay('a@b', comparison, { colour: false }),
    'the found linear map at init differs in 1 stretch of leaves, 28 MiB',
  );
});

t.test('another model, and a boot that got less far', async (t) => {
  const prediction = {
    linearRegion,
    decisions: { ...decisions, realm: true },
    checkpoints: { init: { leaves: leaves.slice(1) } },
  };
  const comparison = compareReplay(recorded, {
    result: recorded.result,
    prediction,
    evidence: { captures: [] },
  });
  t.match(comparison, {
    decisions: ['realm'],
    predicted: [{ stretches: 1 }],
    found: [],
    unmatched: ['init'],
  });
  t.match(formatReplay('a@b', comparison, { colour: false }), 'only one of the boots reached init');
});
