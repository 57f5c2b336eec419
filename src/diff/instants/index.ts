// SPDX-License-Identifier: GPL-2.0-only
import { followRecording, type RecordedStore } from '../../evidence/follow-recording.ts';
import { present } from '../../present.ts';
import { isLeaf } from '../../vmsa/descriptor.ts';
import type { BootInvariant } from '../context.ts';
import { AskedLeaves } from './asked-leaves.ts';
import { CallTimes } from './call-times.ts';
import { findingsOf } from './findings.ts';
import { KernelLeaves } from './kernel-leaves.ts';
import { visitLeaves } from './live-tables.ts';
import { Scene } from './scene.ts';
import { UserLeaves } from './user-leaves.ts';

/**
 * Rules that hold at every instant of a boot that was recorded, not only at its checkpoints. What
 * an address means comes from the boot; nothing of it is predicted.
 */
export const everyInstant: BootInvariant = (boot) => {
  const { recording, captures } = boot.evidence;
  if (recording === undefined || captures.length === 0) return [];
  const scene = new Scene(boot, recording);
  const { tables, windows } = scene;
  const kernel = new KernelLeaves(scene);
  const user = new UserLeaves(scene);
  const asked = new AskedLeaves(scene);
  const times = new CallTimes(scene);
  let next = recording.moments[0]?.checkpoint;
  scene.goOn(next);
  // Half of all calls are of __set_fixmap(), which no rule asks for.
  const heeded = recording.functions.map(({ name }) =>
    [KernelLeaves, AskedLeaves, CallTimes].some((rules) => rules.heeds(name)),
  );
  // One closure for all stores.
  let stored: RecordedStore | undefined;
  const atStore = () => present(stored, 'store');
  followRecording(recording, {
    store: (store) => {
      if (store.before !== next) {
        next = store.before;
        scene.goOn(next);
      }
      stored = store;
      const { table, index } = store;
      const { low, high } = store.new;
      tables.stored(table, index, low, high);
      if (windows.anyOpen) windows.close(table, index, atStore);
      if (table.upper) {
        kernel.changed(table, index);
        if (isLeaf({ low }, table.level)) kernel.leaf(table, index, low, high, atStore);
        return;
      }
      user.changed({ table, index, ...store.old }, { table, index, low, high }, atStore);
      if (isLeaf({ low }, table.level)) kernel.lowerLeaf(table, index, low, high, atStore);
    },
    table: (each, now) => {
      tables.link(each);
      visitLeaves(each, (table, index, low, high) => {
        if (table.upper) kernel.leaf(table, index, low, high, now);
        else kernel.lowerLeaf(table, index, low, high, now);
      });
      user.linked(each, now);
    },
    unlink: (table, now) => {
      user.unlinked(table);
      windows.closeAll(table, now);
      tables.unlink(table);
    },
    register: (name, value, cpu) => {
      if (name !== 'TTBR1_EL1') return;
      asked.root(cpu, value);
      times.root(cpu);
    },
    enter: (call, now) => {
      if (!heeded[call.listed] && !kernel.isPatching) return;
      kernel.entered(call, now);
      times.entered(call, now);
    },
    leave: (call, result, now) => {
      if (!heeded[call.listed]) return;
      kernel.returned(call, now);
      asked.returned(call, result, now);
      times.returned(call);
    },
  });
  return findingsOf(windows.all);
};
