// SPDX-License-Identifier: GPL-2.0-only
import t from 'tap';
import { followRecording } from '../../src/evidence/follow-recording.ts';
import { RequestCollector, type RequestFilter } from '../../src/evidence/recorded-requests.ts';
import { geometryOf } from '../../src/linux/geometry.ts';
import { sizeOf } from '../../src/linux/physical-range.ts';
import { recordedKernel } from '../diff/refinement/recorded-kernel.ts';
import { given } from '../given.ts';

const { recording, kernel } = recordedKernel('7.3.4+deb13-arm64@max');

/** The collector after a real boot. */
function collected(): RequestCollector {
  const { image, state } = kernel;
  const swapper = image.pa + state.question.symbolOffset('swapper_pg_dir');
  const collector = new RequestCollector(geometryOf(4096), swapper);
  followRecording(recording, collector);
  return collector;
}

const filter: RequestFilter = {
  splits: true,
  groupsProtection: false,
  kfencePoolHasPages: false,
  realm: false,
  tellsPageAllocator: true,
  afterLast: 'init',
  functionAt: () => undefined,
};

t.test('every request to split, or those of set_memory_ro() as one', (t) => {
  const collector = collected();
  const { splitRequests, protectRequests, sharing } = collector.requests(filter);
  t.equal(splitRequests.length, 521);
  t.same(protectRequests, []);
  t.same(sharing, []);
  t.ok(splitRequests.every(({ start, end, early }) => start < end && early === undefined));
  const grouped = collector.requests({ ...filter, groupsProtection: true });
  // The pack of BPF programs has 512 pages, whose aliases follow, and it changes itself.
  t.equal(grouped.splitRequests.length, 521 - 513);
  t.same(grouped.protectRequests, [
    { frames: [{ start: 0x4400_0000, end: 0x4420_0000 }], before: 'free_initmem' },
  ]);
  t.same(collector.requests({ ...filter, splits: false }).splitRequests, []);
  t.end();
});

t.test('what kfence_init() asks for does not count where its pool is made of pages', (t) => {
  const caller = (address: bigint) => (address === 0n ? undefined : 'kfence_init_pool_early');
  const kfence = { ...filter, kfencePoolHasPages: true, functionAt: caller };
  t.same(collected().requests(kfence).splitRequests, []);
  t.end();
});

t.test('which frames set_memory_ro() has made read-only, at each checkpoint', (t) => {
  const { readOnlyVmalloc } = collected().requests(filter);
  t.same(readOnlyVmalloc.smp_cpus_done, []);
  t.equal(sizeOf(...given(readOnlyVmalloc.free_initmem)), 2 ** 21);
  t.equal(sizeOf(...given(readOnlyVmalloc.init)), 2 ** 21);
  t.end();
});

t.test('a realm: what it shares, who asked, and whether its capabilities were final', (t) => {
  const shared = recordedKernel('7.3.4+deb13-arm64@realm+max');
  const { image, state } = shared.kernel;
  const swapper = image.pa + state.question.symbolOffset('swapper_pg_dir');
  const collector = new RequestCollector(geometryOf(4096), swapper);
  followRecording(shared.recording, collector);
  const { sharing } = collector.requests({ ...filter, realm: true, functionAt: () => 'asker' });
  t.equal(sharing.length, 7);
  t.ok(sharing.every(({ direction, caller }) => direction === 'decrypt' && caller === 'asker'));
  t.ok(sharing.every(({ pages, start }) => pages > 0 && start % 4096n === 0n));
  t.end();
});

t.test('what is asked for after the last checkpoint is shown by none', (t) => {
  const { recording, kernel } = recordedKernel('7.3.4+deb13-arm64@realm+max');
  const { image, state } = kernel;
  const swapper = image.pa + state.question.symbolOffset('swapper_pg_dir');
  const collector = new RequestCollector(geometryOf(4096), swapper);
  // As if smp_cpus_done were the last: most is shared after it.
  const moments = recording.moments.slice(0, -2);
  followRecording({ ...recording, moments }, collector);
  const asked = (afterLast: RequestFilter['afterLast']) =>
    collector.requests({ ...filter, realm: true, afterLast }).sharing.length;
  t.ok(asked(undefined) < 7);
  t.equal(asked('init'), 7);
  t.end();
});
