// SPDX-License-Identifier: GPL-2.0-only
/** A kernel that is entered at EL2, as on a board, by a boot of a real kernel. */
import t from 'tap';
import { boot } from '../../harness/boot/boot.ts';
import { given } from '../given.ts';
import { realSetup } from './boot-setup.ts';

t.setTimeout(10 * 60_000);

t.test('a CPU without FEAT_VHE keeps KVM at EL2, and is looked at where it went on', async (t) => {
  const setup = await realSetup(t, 'debian:7.3', {
    machine: {
      cpu: 'cortex-a72',
      cpus: 2,
      memory: 512,
      holes: [],
      world: 'normal',
      entry: 'el2',
    },
    cpu: 'cortex-a72',
  });
  const evidence = await boot(setup);
  t.same(evidence.end, { kind: 'completed' });
  t.match(evidence.console, 'CPU: All CPU(s) started at EL2');
  t.match(evidence.console, 'Hyp nVHE mode initialized successfully');
  t.same(
    given(evidence.captures.at(-1)).cpus.map(({ online }) => online),
    [true, true],
  );
  const linear = given(evidence.captures[0]).ttbr1.leaves.filter(
    ({ va, valid }) => valid && va < 0xffff_8000_0000_0000n,
  );
  t.equal(
    linear.reduce((sum, { size }) => sum + size, 0),
    512 << 20,
    'the whole linear map is read',
  );
});
