// SPDX-License-Identifier: GPL-2.0-only
import t from 'tap';
import { checkRefinement } from '../../../src/diff/refinement/check.ts';
import { refinementFindings } from '../../../src/diff/refinement/findings.ts';
import { RecordedOperations } from '../../../src/evidence/recorded-operations.ts';
import type { RecordingReader } from '../../../src/evidence/recording-reader.ts';
import { PTE_CONT, PTE_RDONLY } from '../../../src/linux/pgprot.ts';
import { type RecordedEvent, rewriteRecording } from '../../evidence/rewrite-recording.ts';
import { given } from '../../given.ts';
import { recordedKernel } from './recorded-kernel.ts';

const { recording, kernel } = recordedKernel('7.3.4+deb13-arm64@max');

t.test('real boots: every operation does what the model says', (t) => {
  const everywhere = {
    create_mapping_noalloc: 4,
    __create_pgd_mapping_locked: 10,
    __set_fixmap: 100,
    update_mapping_prot: 3,
    set_memory_ro: 1,
    set_memory_x: 1,
    set_direct_map_invalid_noflush: 6,
  };
  for (const [name, others, not] of [
    [
      '7.3.4+deb13-arm64@max',
      { set_memory_valid: 1, __vunmap_range_noflush: 8, split_kernel_leaf_mapping: 521 },
    ],
    [
      '7.3.4+deb13-arm64@neoverse-v3-r0p2',
      {
        set_memory_valid: 1,
        __vunmap_range_noflush: 10,
        split_kernel_leaf_mapping: 521,
        split_kernel_leaf_mapping_locked: 524,
      },
    ],
    [
      '7.3.4+deb13-arm64@monitor+neoverse-v3-r0p2+then-max',
      {
        set_memory_valid: 1,
        __vunmap_range_noflush: 16,
        split_kernel_leaf_mapping: 521,
        linear_map_split_to_ptes: 2,
      },
    ],
    [
      '7.3.4+deb13-arm64@max+kpti',
      {
        set_memory_valid: 1,
        __vunmap_range_noflush: 6,
        split_kernel_leaf_mapping: 521,
        __kpti_install_ng_mappings: 1,
        __set_fixmap: 104,
      },
      // The tables of KPTI's own, and of the trampoline, which nobody uses yet.
      { __create_pgd_mapping_locked: 2 },
    ],
    [
      '7.3.4+deb13-arm64@realm+max',
      {
        set_memory_valid: 1,
        __vunmap_range_noflush: 11,
        split_kernel_leaf_mapping: 535,
        realm_set_memory_decrypted: 7,
      },
    ],
    // A realm that shares memory when KPTI has made its mappings non-global.
    [
      '7.2.13+deb14-arm64@machine-d58c5cf218',
      {
        update_mapping_prot: 1,
        __vunmap_range_noflush: 36,
        split_kernel_leaf_mapping: 18,
        __kpti_install_ng_mappings: 3,
        __set_fixmap: 104,
        set_direct_map_default_noflush: 6,
        realm_set_memory_decrypted: 2,
      },
      { __create_pgd_mapping_locked: 2 },
    ],
    ['6.12.117+deb13-arm64@max', { __create_pgd_mapping: 7, __vunmap_range_noflush: 24 }],
  ] as [string, Record<string, number>, Record<string, number>?][]) {
    const boot = recordedKernel(name);
    const { deviations, checked, unchecked } = checkRefinement(boot.recording, boot.kernel);
    t.same(deviations, [], name);
    t.same(Object.fromEntries(checked), { ...everywhere, ...others }, name);
    t.same(Object.fromEntries(unchecked), not ?? {}, name);
  }
  t.end();
});

t.test(
  'debug_pagealloc: each page that is freed becomes invalid, and valid when it is used',
  (t) => {
    const boot = recordedKernel('7.3.4-debug_pagealloc@max+pagealloc');
    const { deviations, checked, unchecked } = checkRefinement(boot.recording, boot.kernel);
    t.same(deviations, []);
    t.same(unchecked, new Map());
    t.equal(checked.get('__kernel_map_pages'), 15227);
    t.same(
      foundIn(boot, { inside: 'set_memory_valid', kind: 'store', nth: 4000, becomes: () => [] }),
      ['__kernel_map_pages/other-entry', 'set_memory_valid/other-entry'],
    );
    t.end();
  },
);

t.test('debug_pagealloc: tables of an operation of its own become valid before it begins', (t) => {
  const boot = recordedKernel('7.3.4-debug_pagealloc-board@max+pagealloc+kpti');
  const { deviations, checked } = checkRefinement(boot.recording, boot.kernel);
  t.same(deviations, []);
  t.equal(checked.get('__kpti_install_ng_mappings'), 1);
  t.same(
    foundIn(boot, {
      inside: '__kpti_install_ng_mappings',
      kind: 'store',
      nth: 2000,
      becomes: () => [],
    }),
    ['__kpti_install_ng_mappings/other-entry'],
  );
  t.end();
});

t.test('pages of 64K: the repaint, and KPTI, which maps tables far below the fixmap', (t) => {
  const boot = recordedKernel('7.3.4-64k@monitor+neoverse-v3-r0p2+then-max+kpti');
  const { deviations, checked, unchecked } = checkRefinement(boot.recording, boot.kernel);
  t.same(deviations, []);
  t.match(Object.fromEntries(checked), {
    linear_map_split_to_ptes: 2,
    __kpti_install_ng_mappings: 2,
    update_mapping_prot: 3,
    split_kernel_leaf_mapping: 141,
    set_direct_map_default_noflush: 70,
  });
  t.same(Object.fromEntries(unchecked), { __create_pgd_mapping_locked: 2 });
  t.same(
    foundIn(boot, {
      inside: '__kpti_install_ng_mappings',
      kind: 'store',
      nth: 1000,
      becomes: () => [],
    }),
    ['__kpti_install_ng_mappings/other-entry'],
  );
  t.end();
});

t.test('a CPU that waits for the lock while another one splits the same leaf', (t) => {
  const { recording, kernel } = recordedKernel('7.3.4+deb13-arm64@neoverse-v3-r0p2');
  const isSplit = ({ listed }: { listed: number }) =>
    recording.functions[listed]?.name === 'split_kernel_leaf_mapping';
  const waiting = rewriteRecording(recording, (event) => {
    if (event.kind === 'enter' && isSplit(event.call)) return [{ ...event, cpu: 1 }, event];
    if (event.kind === 'leave' && isSplit(event.call)) return [event, { ...event, cpu: 1 }];
    return [event];
  });
  const { deviations, checked } = checkRefinement(waiting, kernel);
  t.same(deviations, []);
  t.equal(checked.get('split_kernel_leaf_mapping'), 2 * 521);
  t.end();
});

/** Takes the place of an event in one function. */
interface Plant {
  inside: string;
  kind: RecordedEvent['kind'];
  /** How many such events were there before it; every one where it is absent. */
  nth?: number;
  becomes(event: RecordedEvent): readonly RecordedEvent[];
}

/** The ids of what is found after some events were changed. */
const found = (...plants: Plant[]) => foundIn({ recording, kernel }, ...plants);

function foundIn(
  { recording, kernel }: Pick<ReturnType<typeof recordedKernel>, 'recording' | 'kernel'>,
  ...plants: Plant[]
): string[] {
  const open = new RecordedOperations();
  const seen = new Map<Plant, number>();
  const changed = rewriteRecording(recording, (event, { cpu }: RecordingReader) => {
    if (event.kind === 'enter') open.enter(cpu, event);
    const call = open.innermost(cpu)?.call;
    if (event.kind === 'leave') open.leave(cpu);
    if (event.kind === 'switch') open.switch(cpu, event.previous, event.next);
    if (event.kind === 'mark') open.mark(cpu);
    if (event.kind === 'unmark') open.unmark(cpu);
    const inside = call && recording.functions[call.listed]?.name;
    const [plant] = plants.filter((each) => {
      if (each.inside !== inside || each.kind !== event.kind) return false;
      const before = seen.get(each) ?? 0;
      seen.set(each, before + 1);
      return each.nth === undefined || each.nth === before;
    });
    return plant?.becomes(event) ?? [event];
  });
  const { deviations } = checkRefinement(changed, kernel);
  const ids = refinementFindings(changed, deviations).map(({ id }) => id);
  return ids.map((id) => id.replace('mismatch/refinement/', '')).sort();
}

const storeIn = (inside: string, nth: number, becomes: Plant['becomes']): Plant => ({
  ...{ inside, kind: 'store', nth, becomes },
});
const stored = (event: RecordedEvent) => given(event.kind === 'store' ? event : undefined);
const gone = () => [];
const value =
  (change: (value: bigint) => bigint): Plant['becomes'] =>
  (event) => [{ ...stored(event), value: change(stored(event).value) }];

t.test('a store, a TLBI and a result that are not there, or not right', (t) => {
  t.same(
    found(
      storeIn('set_memory_ro', 0, gone),
      {
        inside: 'set_memory_x',
        kind: 'leave',
        becomes: (event) => [
          { ...given(event.kind === 'leave' ? event : undefined), result: 0xffff_fff0n },
        ],
      },
      { inside: '__set_fixmap', kind: 'tlbi', nth: 3, becomes: gone },
      storeIn('__vunmap_range_noflush', 2, gone),
    ),
    [
      '__set_fixmap/tlbi',
      '__vunmap_range_noflush/other-entry',
      'set_memory_ro/other-entry',
      'set_memory_x/result',
    ],
  );
  t.end();
});

t.test('other attributes, another order, another place', (t) => {
  let held: RecordedEvent | undefined;
  t.same(
    found(
      storeIn(
        'set_memory_ro',
        1023,
        value((leaf) => leaf ^ PTE_RDONLY),
      ),
      storeIn('set_memory_valid', 10, (event) => {
        held = event;
        return [];
      }),
      storeIn('set_memory_valid', 11, (event) => [event, given(held)]),
      storeIn('__set_fixmap', 0, (event) => [{ ...stored(event), index: stored(event).index - 1 }]),
    ),
    // The slot is then not the one that is cleared; and set_memory_x() finds a page that is not
    // what it will be.
    [
      '__set_fixmap/extra',
      '__set_fixmap/other-entry',
      'set_memory_ro/attributes',
      'set_memory_valid/other-entry',
      'set_memory_x/attributes',
    ],
  );
  t.end();
});

t.test('another address, one store too many, a contiguous bit', (t) => {
  t.same(
    found(
      storeIn(
        'set_memory_ro',
        7,
        value((leaf) => leaf ^ 0x1000n),
      ),
      storeIn('set_memory_x', 511, (event) => [event, { ...stored(event), value: 0n }]),
      storeIn(
        '__create_pgd_mapping_locked',
        1000,
        value((leaf) => leaf | PTE_CONT),
      ),
    ),
    // What protects the text finds a contiguous leaf among others: BUG_ON(!pgattr_change_is_safe).
    [
      '__create_pgd_mapping_locked/attributes',
      '__create_pgd_mapping_locked/stops',
      'set_memory_ro/address',
      'set_memory_x/extra',
      'update_mapping_prot/stops',
    ],
  );
  t.end();
});

t.test('no TLBI at all, and the last store is not made', (t) => {
  t.same(
    found(
      { inside: 'set_memory_ro', kind: 'tlbi', becomes: gone },
      storeIn('set_memory_x', 511, gone),
    ),
    ['set_memory_ro/tlbi', 'set_memory_x/missing'],
  );
  t.end();
});

t.test('what is read-only already is made read-only again', (t) => {
  // As module_enable_rodata_ro() of 6.12 does: nothing is stored between the TLB invalidations.
  const inside = 'set_memory_ro';
  const pages = 0x200;
  // One of each linear alias, and six of the area: three pages, two ranges, and a page.
  const invalidated = pages + 6;
  const again = (leftOut: number): string[] => {
    let entered: RecordedEvent | undefined;
    const operands: bigint[] = [];
    const keep: Plant['becomes'] = (event) => {
      entered = event;
      return [event];
    };
    const invalidate: Plant['becomes'] = (event) => {
      const last = given(event.kind === 'tlbi' ? event : undefined);
      if (operands.push(last.operand) < invalidated) return [event];
      const enter = given(entered?.kind === 'enter' ? entered : undefined);
      const area = given(operands[pages]);
      const all = [
        ...operands.slice(0, pages),
        ...Array.from({ length: pages }, (_, page) => area + BigInt(page)),
      ].map((operand) => ({ ...last, operand }));
      const { call } = enter;
      return [event, { kind: 'leave', call, result: 0n }, enter, ...all.toSpliced(leftOut, 1)];
    };
    return found(
      { inside, kind: 'enter', becomes: keep },
      { inside, kind: 'tlbi', becomes: invalidate },
    );
  };
  t.same(again(2 * pages), [], 'none');
  for (const each of [0, 100, pages, 2 * pages - 1])
    t.same(again(each), ['set_memory_ro/tlbi'], `${each}`);
  t.end();
});

t.test('a finding says what, where, who and when', (t) => {
  // As if the model did not know rodata=on.
  const decisions = { ...kernel.state.decisions, rodataFull: false };
  const state = { ...kernel.state, decisions };
  const { deviations } = checkRefinement(recording, { ...kernel, state });
  const [only, ...others] = refinementFindings(recording, deviations);
  t.same(others, []);
  t.match(only, {
    id: 'mismatch/refinement/set_memory_ro/other-entry',
    kind: 'mismatch',
    title: 'set_memory_ro() writes another entry than the next one that it must write',
  });
  t.equal(
    given(only).detail,
    `1 call. The first of them:
  set_memory_ro(0xffff80008335d000, 0x200), called by bpf_prog_pack_alloc+0x3ac, on CPU 0, 7.171365
    s after the start
    entry: 0xffff80008335d000, level 3
    predicted: pages (4 KiB), valid, EL1 r-- EL0 ---, Normal-WB (AttrIndx 0), global, dirty
      [0xe0000000000483], at 0x44000000
    found: at entry 0 of the table at 0x7ffdc000, level 3: pages (4 KiB), valid, EL1 r-- EL0 ---,
      Normal-WB (AttrIndx 1), global, dirty [0xe0000000000487], at 0x44000000`,
  );
  t.end();
});
