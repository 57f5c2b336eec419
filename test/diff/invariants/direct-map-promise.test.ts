// SPDX-License-Identifier: GPL-2.0-only
import t from 'tap';
import {
  directMapPromise,
  promiseUnchecked,
} from '../../../src/diff/invariants/direct-map-promise.ts';
import { given } from '../../given.ts';
import {
  CONT,
  capability,
  KiB,
  linearOf,
  MiB,
  rewrite,
  type Shape,
  segment,
  soundContext,
  withAttributes,
} from '../synthetic.ts';

/**
 * A capable system whose linear map has a block, on a boot that did not find that splitting may be
 * needed.
 */
function withBlock(
  asksRequires: boolean,
  checkpoint: Shape['checkpoint'] = 'init',
): ReturnType<typeof soundContext> {
  const context = soundContext({ checkpoint });
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
    const unread = withBlock(false);
    delete unread.capture.variables.system_cpucaps;
    t.same(directMapPromise(unread), [], 'the bitmap was not readable');
    t.equal(promiseUnchecked(withBlock(false)), undefined);
    t.equal(promiseUnchecked(withBlock(true)), undefined);
  },
);

t.test(
  'before init runs, and without the promise, there is nothing to keep or check',
  async (t) => {
    t.same(directMapPromise(withBlock(true, 'free_initmem')), []);
    const unknown = (context: ReturnType<typeof soundContext>) => {
      context.splitting = { asksRequires: false };
      return promiseUnchecked(context);
    };
    t.type(unknown(withBlock(false)), 'string');
    t.equal(unknown(withBlock(false, 'free_initmem')), undefined);
    const unpromised = withBlock(false);
    Object.assign(unpromised.capture.variables, { rodata_full: 0n, kfence_early_init: 1n });
    t.equal(unknown(unpromised), undefined);
    const pages = soundContext();
    t.equal(unknown(pages), undefined, 'single pages need no splitting');
  },
);

t.test('which leaves are too large to change', async (t) => {
  const group = (offset: number, change: (attributes: bigint) => bigint) => {
    const context = soundContext();
    rewrite(context, linearOf(context, given(context.ram[0]).start + offset), 64 * KiB, (leaf) =>
      withAttributes(leaf, change(leaf.attributes)),
    );
    return directMapPromise(context).map(({ id }) => id);
  };
  const broken = ['invariant/direct-map-promise/cannot-split@init'];
  t.same(
    group(40 * MiB, (a) => a | CONT),
    broken,
  );
  t.same(
    group(MiB, (a) => a | CONT),
    broken,
    'below the alias of the kernel',
  );
  t.same(
    group(2 * MiB, (a) => a | CONT),
    [],
    'in the alias of the kernel',
  );
  t.same(
    group(2 * MiB + segment.__init_begin - 64 * KiB, (a) => a | CONT),
    [],
    'at the end of the alias of the kernel',
  );
  t.same(
    group(40 * MiB, (a) => (a | CONT) & ~1n),
    [],
    'in a leaf that is not valid, the bit makes no group',
  );
});

t.test('what makes the promise is read from the kernel', async (t) => {
  for (const name of ['rodata_full', '_debug_pagealloc_enabled_early', 'rsi_present']) {
    const context = withBlock(true);
    Object.assign(context.capture.variables, { rodata_full: 0n, kfence_early_init: 1n });
    t.same(directMapPromise(context), [], 'nobody may change single pages');
    context.capture.variables[name] = 1n;
    t.equal(directMapPromise(context).length, 1, name);
  }
  const late = withBlock(true);
  Object.assign(late.capture.variables, { rodata_full: 0n, kfence_early_init: 0n });
  t.equal(directMapPromise(late).length, 1, 'KFENCE may still be switched on');
});

t.test('a kernel without the code to split, or that calls the variable bbml2', async (t) => {
  const old = withBlock(false);
  delete old.splitting;
  t.equal(directMapPromise(old).length, 1);
  const earlier = withBlock(true);
  delete earlier.capture.variables.linear_map_requires_bbml3;
  t.same(directMapPromise(earlier), []);
  earlier.capture.variables.linear_map_requires_bbml2 = 0n;
  t.equal(directMapPromise(earlier).length, 1);
});
