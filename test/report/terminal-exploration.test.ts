// SPDX-License-Identifier: GPL-2.0-only
import t from 'tap';
import { formatExploration } from '../../src/report/terminal-exploration.ts';

const summary = {
  seed: 7,
  kernels: ['debian:6.12', 'debian:7.3'],
  cases: [
    { case: 'a', verdict: 'pass' as const },
    { case: 'b', verdict: 'fail' as const },
    { case: 'c', verdict: 'error' as const, reason: 'QEMU was killed\u001b[31m.' },
  ],
  differences: [
    {
      finding: 'mismatch/linear-map/kind',
      kernel: 'debian:7.3',
      machine: 'machine-1',
      again: true,
      file: 'out/mismatch-machine-2.yaml',
    },
    { finding: 'splat/bug', kernel: 'debian:6.12', machine: 'machine-3', again: false },
  ],
  seen: 0.1234,
  pairs: 1234,
  folder: 'out',
};

t.test('what is new comes first, with the command that shows it', async (t) => {
  t.equal(
    formatExploration(summary, { colour: false, width: 80 }),
    `2 findings that no known issue explains, in 3 machines on 2 kernels: 1 pass, 1
fail, 1 error.
  NEW  mismatch/linear-map/kind
      on debian:7.3, machine-1
      ./ptdiff run --kernel debian:7.3 \\
         --scenario out/mismatch-machine-2.yaml
  NEW  splat/bug
      on debian:6.12, machine-3, and not in a second boot
  error  c: QEMU was killed.
Seen together: 1,234 pairs of choices, 12.3 % of those that can be.
To go on: ./ptdiff explore --machines --out out (seed 7)
`,
  );
});

t.test('an exploration that booted nothing says so', async (t) => {
  const none = { ...summary, cases: [], differences: [], seen: 0, pairs: 0 };
  t.match(
    formatExploration(none, { colour: false, width: 100 }),
    /^0 findings .* in 0 machines on 2 kernels: none was booted\.\n/,
  );
});
