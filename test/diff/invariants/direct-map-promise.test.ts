import t from 'tap';
import { directMapPromise } from '../../../src/diff/invariants/direct-map-promise.ts';
import { linearOf, MiB, rewrite, soundContext, withAttributes } from '../synthetic.ts';

/** A capable system whose linear map has a block, on a boot that did not find that splitting may be needed. */
function withBlock(splitAsksRequires: boolean): ReturnType<typeof soundContext> {
  const context = soundContext();
  context.decisions = { ...context.decisions, systemBbml: true, linearMapRequiresBbml: false };
  context.splitAsksRequires = splitAsksRequires;
  context.capture.variables.linear_map_requires_bbml3 = 0n;
  rewrite(context, linearOf(context, context.ram[0].start + 40 * MiB), 2 * MiB, (leaf) => ({
    ...withAttributes(leaf, leaf.attributes & ~2n),
    level: 2,
  }));
  return context;
}

t.test('a block that nobody can split breaks the promise; up to 6.19 the requires flag does not matter', async (t) => {
  t.match(directMapPromise(withBlock(true)), [{ id: 'invariant/direct-map-promise/cannot-split@init' }]);
  t.same(directMapPromise(withBlock(false)), []);
});
