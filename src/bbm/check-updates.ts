// SPDX-License-Identifier: GPL-2.0-only
import type { Recording } from '../evidence/capture.ts';
import { followRecording, type RecordedStore } from '../evidence/follow-recording.ts';
import { type Descriptor, isTable, isValid } from '../vmsa/descriptor.ts';
import { join } from '../vmsa/descriptor-layout.ts';
import { encodedGranule } from '../vmsa/regime.ts';
import { type BbmLevel, needsBreak, type Reason } from './needs-break.ts';
import { type Missing, PendingEntries } from './pending.ts';
import { decodeTlbi } from './tlbi.ts';

/** A way in which one instruction changes entries that the architecture does not allow. */
export interface UpdateSite {
  /** The instruction, as function+offset. */
  site: string;
  /** The recorded functions that it belongs to, the innermost first. */
  chain: string[];
  reason: Reason;
  /** What is not done before; undefined where the entry was not broken at all. */
  missing: Missing | undefined;
  count: number;
  /** The first one. */
  example: { va: bigint; level: number; old: bigint; new: bigint; cpu: number; time: number };
}

/** A root without ASID and CnP. */
const rootAddress = 0xffff_ffff_ffc0n;

/**
 * Checks every change of the kernel's tables (TTBR1) against break-before-make (DDI 0487 D8.16.1):
 * an entry whose change needs it is made invalid, then a DSB, a TLBI that covers it, a DSB, and only
 * then made again. Tables of user space are not checked yet.
 * @param bbm the level of FEAT_BBM that the CPUs are taken to have
 */
export function checkUpdates(recording: Recording, bbm: BbmLevel): UpdateSite[] {
  const pending = new PendingEntries();
  const found = new Map<string, UpdateSite>();
  /** The kernel's root of each CPU; what a CPU held of an earlier one does not count. */
  const roots = new Map<number, bigint>();
  let mair = 0n;
  let lpa2 = false;
  let granule = 4096;
  const report = (store: RecordedStore, reason: Reason, missing: Missing | undefined) => {
    const site = recording.sites[store.site] ?? '?';
    const key = `${site} ${reason} ${missing}`;
    const known = found.get(key);
    if (known) known.count++;
    else found.set(key, { ...siteOf(recording, store), site, reason, missing, count: 1 });
  };
  const stored = (store: RecordedStore): void => {
    const { table, old, new: now, cpu } = store;
    if (!table.upper) return;
    const { level } = table;
    const how = { bbm, mair, lpa2 };
    const { va, size } = store.reach();
    if (isValid(old)) {
      if (!isValid(now)) {
        pending.broke({ va, size, level, old, wasTable: isTable(old, level), cpu });
        return;
      }
      const reason = needsBreak(old, now, level, how);
      if (reason) report(store, reason, undefined);
      return;
    }
    const broken = isValid(now) ? pending.at(va, level) : undefined;
    if (broken === undefined) return;
    const reason = needsBreak(broken.old, now, level, how);
    if (reason) report(store, reason, broken.missing);
    pending.made(broken);
  };
  followRecording(recording, {
    store: stored,
    tlbi: ({ insn, operand, cpu }) => {
      const what = decodeTlbi(insn, operand, lpa2);
      const others = [...roots].filter(([other, root]) => other !== cpu && root === roots.get(cpu));
      if (what && (what.granule ?? granule) === granule)
        pending.invalidate(cpu, what, others.length === 0);
    },
    barrier: (insn, cpu) => {
      // DSB has op2 4, and 1 with nXS; CRm[1:0] is 3 for loads and stores.
      const op2 = (insn >>> 5) & 7;
      if (op2 === 4 || op2 === 1) pending.barrier(cpu, op2 === 1 || ((insn >>> 8) & 3) === 3);
    },
    register: (name, value, cpu) => {
      if (name === 'MAIR_EL1') mair = value;
      if (name === 'TCR_EL1') {
        lpa2 = ((value >> 59n) & 1n) === 1n;
        granule = encodedGranule(value, 'ttbr1') ?? 4096;
      }
      if (name === 'TTBR1_EL1') roots.set(cpu, value & rootAddress);
    },
  });
  return [...found.values()].sort((left, right) => right.count - left.count);
}

const joined = ({ low, high }: Descriptor): bigint => join(low, high);

function siteOf(
  { functions }: Recording,
  { chain, table, old, new: now, cpu, time, reach }: RecordedStore,
): Pick<UpdateSite, 'chain' | 'example'> {
  return {
    chain: chain().map(({ call }) => functions[call.listed]?.name ?? '?'),
    example: { va: reach().va, level: table.level, old: joined(old), new: joined(now), cpu, time },
  };
}
