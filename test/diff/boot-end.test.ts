// SPDX-License-Identifier: GPL-2.0-only
import t from 'tap';
import { observe } from '../../src/bisect/observe.ts';
import { isWhole, shows } from '../../src/diff/boot-end.ts';
import { checkpointNames, earlyEnd, isBefore } from '../../src/evidence/capture.ts';
import { judged } from './judged.ts';

const full = judged({});
/** The same boot, ended early. */
const early = {
  ...full,
  depth: 'early' as const,
  linearMap: Object.fromEntries(
    Object.entries(full.linearMap).filter(([name]) => {
      const checkpoint = checkpointNames.find((each) => each === name);
      return checkpoint !== undefined && !isBefore(earlyEnd, checkpoint);
    }),
  ),
};

t.test('an early case says that a finding is not there at its own checkpoints alone', async (t) => {
  t.equal(shows(full, 'mismatch/x@init'), false);
  t.equal(shows(early, 'mismatch/x@init'), undefined);
  t.equal(shows(early, 'mismatch/x@free_initmem'), undefined);
  t.equal(shows(early, `mismatch/x@${earlyEnd}`), false);
  t.equal(shows(early, 'mismatch/x@paging_init'), false);
});

t.test('what belongs to no checkpoint may come later, but what shows is there', async (t) => {
  const id = 'splat/warning/x';
  t.equal(shows(full, id), false);
  t.equal(shows(early, id), undefined);
  t.equal(shows({ ...early, findings: [{ id }] }, id), true);
  t.notOk(isWhole(early));
  t.ok(isWhole(full));
});

t.test('a bisection takes no early case for one that is free of its sign', async (t) => {
  const result = { ...early, findings: [] };
  for (const sign of [
    { finding: 'mismatch/x@init' },
    { finding: 'splat/warning/x' },
    { verdict: 'fail' as const },
    { verdict: 'died' as const },
  ])
    t.equal(observe(result, sign).outcome, 'unusable', JSON.stringify(sign));
  t.equal(observe({ ...full, findings: [] }, { verdict: 'fail' }).outcome, 'absent');
  t.equal(observe({ ...result, verdict: 'fail' }, { verdict: 'fail' }).outcome, 'present');
});
