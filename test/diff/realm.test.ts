// SPDX-License-Identifier: GPL-2.0-only

import t from 'tap';
import type { CheckpointContext } from '../../src/diff/context.ts';
import { noExternalAbort } from '../../src/diff/invariants/no-external-abort.ts';
import { ripasAgrees } from '../../src/diff/invariants/ripas-agrees.ts';
import type { MonitorAbort, MonitorView } from '../../src/evidence/monitor-report.ts';
import { sizedRange } from '../../src/linux/physical-range.ts';
import { given } from '../given.ts';
import { soundContext } from './synthetic.ts';

const MiB = 2 ** 20;
const ALIAS = 2 ** 47;

/** A sound realm: `shared` bytes in the middle of RAM are EMPTY and mapped by their alias. */
function realm(shared: { start: number; end: number }): CheckpointContext {
  const context = soundContext();
  const ram = given(context.ram[0]);
  const ripas: MonitorView['ripas'] = [
    { ...sizedRange(ram.start, shared.start - ram.start), ripas: 'RAM' },
    { ...sizedRange(shared.start, shared.end - shared.start), ripas: 'EMPTY' },
    { ...sizedRange(shared.end, ram.end - shared.end), ripas: 'RAM' },
  ];
  const leaves = context.capture.ttbr1.leaves.flatMap((leaf) => {
    if (!(leaf.pa < shared.start && leaf.pa + leaf.size > shared.end)) return [leaf];
    const part = (start: number, end: number, alias: number) => ({
      ...leaf,
      va: leaf.va + BigInt(start - leaf.pa),
      pa: start + alias,
      size: end - start,
    });
    return [
      part(leaf.pa, shared.start, 0),
      part(shared.start, shared.end, ALIAS),
      part(shared.end, leaf.pa + leaf.size, 0),
    ];
  });
  const monitor = { ripas, aborts: [] as MonitorAbort[], totalAborts: 0 } as unknown as MonitorView;
  const rawCapture = { ...context.capture, ttbr1: { ...context.capture.ttbr1, leaves }, monitor };
  return { ...context, aliasBit: ALIAS, rawCapture };
}

const usual = () => {
  const ram = given(soundContext().ram[0]);
  return realm({ start: ram.start + 40 * MiB, end: ram.start + 42 * MiB });
};

t.test('a realm whose mappings and RIPAS agree is sound', async (t) => {
  t.same(ripasAgrees(usual()), []);
  t.same(noExternalAbort(usual()), []);
});

t.test('shared memory that is mapped by its protected address is found', async (t) => {
  const context = usual();
  for (const leaf of context.rawCapture.ttbr1.leaves) if (leaf.pa >= ALIAS) leaf.pa -= ALIAS;
  t.match(ripasAgrees(context), [
    { id: 'invariant/ripas-agrees/shared-by-protected-address@init' },
  ]);
});

t.test('private memory that is mapped by its alias is found', async (t) => {
  const context = usual();
  for (const run of context.rawCapture.monitor?.ripas ?? []) run.ripas = 'RAM';
  t.match(ripasAgrees(context), [{ id: 'invariant/ripas-agrees/private-by-alias@init' }]);
});

t.test('shared memory that the kernel lost is found', async (t) => {
  const context = usual();
  for (const leaf of context.rawCapture.ttbr1.leaves) if (leaf.pa >= ALIAS) leaf.valid = false;
  t.match(ripasAgrees(context), [{ id: 'invariant/ripas-agrees/shared-not-valid@init' }]);
});

t.test('before user space has tables, those of the kernel are looked at alone', async (t) => {
  const context = usual();
  delete context.rawCapture.ttbr0;
  t.same(ripasAgrees(context), []);
  for (const run of context.rawCapture.monitor?.ripas ?? []) run.ripas = 'RAM';
  t.match(ripasAgrees(context), [{ id: 'invariant/ripas-agrees/private-by-alias@init' }]);
});

t.test('outside a realm there is nothing to agree with', async (t) => {
  const context = usual();
  t.same(ripasAgrees({ ...context, aliasBit: 0 }), []);
  const { monitor: _, ...unseen } = context.rawCapture;
  t.same(ripasAgrees({ ...context, rawCapture: unseen }), [], 'no monitor tells of granules');
  for (const run of context.rawCapture.monitor?.ripas ?? []) run.ripas = 'EMPTY';
  t.same(ripasAgrees({ ...context, aliasBit: 0 }), [], 'a kernel that knows no alias');
});

t.test('a mapping of user space counts, one that is not valid does not', async (t) => {
  const context = usual();
  const ttbr0 = given(context.rawCapture.ttbr0);
  const byAlias = (valid: boolean) => {
    const leaves = ttbr0.leaves.map((leaf) => ({ ...leaf, pa: leaf.pa + ALIAS, valid }));
    context.rawCapture.ttbr0 = { ...ttbr0, leaves };
    return ripasAgrees(context).map(({ id }) => id);
  };
  t.same(byAlias(true), ['invariant/ripas-agrees/private-by-alias@init']);
  t.same(byAlias(false), []);
});

t.test('every refused access is a finding', async (t) => {
  const context = usual();
  const abort = {
    kind: 'unknown',
    ipa: 0x4400_0000,
    elr: 0xffff_8000_8001_0000n,
    cpu: 1,
    ripas: 'EMPTY',
  } as unknown as MonitorAbort;
  if (context.rawCapture.monitor)
    Object.assign(context.rawCapture.monitor, { aborts: [abort], totalAborts: 1 });
  const finding = given(noExternalAbort(context)[0]);
  t.equal(finding.id, 'invariant/no-external-abort/abort@init');
  t.match(finding.detail, /0x44000000/);
  context.rawCapture.checkpoint = 'free_initmem';
  t.same(noExternalAbort(context), [], 'once for a boot, at its end');
});
