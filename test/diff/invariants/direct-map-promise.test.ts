// SPDX-License-Identifier: GPL-2.0-only
import t from 'tap';
import {
  directMapPromise,
  promiseUnchecked,
} from '../../../src/diff/invariants/direct-map-promise.ts';
import { given } from '../../given.ts';
import { capability, linearOf, MiB, rewrite, soundContext, withAttributes } from '../synthetic.ts';

/**
 * A capable system whose linear map has a block, on a boot that did not find that splitting may be
 * needed.
 */
function withBlock(asksRequires: boolean): ReturnType<typeof soundContext> {
  const context = soundContext();
  context.splitting = { capability, asksRequires };
  context.capture.variables.system_cpucaps = 1n << BigInt(capability);
  context.capture.variables.linear_map_requires_bbml3 = 0n;
  rewrite(context, linearOf(context, given(context.ram[0]).start + 40 * MiB), 2 * MiB, (leaf) => ({
    ...withAttributes(leaf, leaf.attributes & ~2n),
    level: 2,
  }));
  return context;
}

t.test(
  'a block that nobody can split breaks the promise; up to 6.19 the requires flag does not matter',
  async (t) => {
    t.match(directMapPromise(withBlock(true)), [
      { id: 'invariant/direct-map-promise/cannot-split@init' },
    ]);
    t.same(directMapPromise(withBlock(false)), []);
  },
);

t.test(
  'where nobody can tell whether the system can split, nothing is claimed, and that is said',
  async (t) => {
    const context = withBlock(false);
    context.splitting = { asksRequires: false };
    t.same(directMapPromise(context), []);
    t.match(promiseUnchecked(context), 'neither system_cpucaps nor arm64_features[] tells');
    t.equal(promiseUnchecked(withBlock(false)), undefined);
    t.equal(promiseUnchecked(withBlock(true)), undefined);
  },
);

t.test('what makes the promise is read from the kernel', async (t) => {
  for (const name of ['rodata_full', '_debug_pagealloc_enabled_early', 'rsi_present']) {
    const context = withBlock(true);
    Object.assign(context.capture.variables, { rodata_full: 0n, kfence_early_init: 1n });
    t.same(directMapPromise(context), [], 'nobody may change single pages');
    context.capture.variables[name] = 1n;
    t.equal(directMapPromise(context).length, 1, name);
  }
});
