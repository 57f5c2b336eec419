// SPDX-License-Identifier: GPL-2.0-only
import t from 'tap';
import { exploredNight } from '../../src/nightly/explored.ts';

const difference = (finding: string, again = true) => ({
  finding,
  kernel: 'debian:7.3',
  machine: 'machine-1',
  again,
  ...(again && { file: 'a.yaml' }),
});

t.test('what random machines show is new, was there before, or does not come again', async (t) => {
  const night = exploredNight(
    {
      seed: 20260316,
      kernels: ['debian:7.3'],
      cases: [
        { case: 'a', verdict: 'fail' },
        { case: 'b', verdict: 'pass' },
      ],
      differences: [
        difference('mismatch/new'),
        difference('mismatch/old'),
        difference('splat/once', false),
        difference('splat/old', false),
      ],
      pairs: 10,
      seen: 0.5,
      folder: 'explored',
    },
    (finding) => finding.endsWith('/old'),
  );
  t.same(night, {
    machines: 2,
    fresh: [difference('mismatch/new')],
    flaky: ['splat/once'],
    still: ['mismatch/old', 'splat/old'],
    pairs: 10,
    seen: 0.5,
    folder: 'explored',
  });
});
