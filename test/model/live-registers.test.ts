// SPDX-License-Identifier: GPL-2.0-only
/**
 * The registers that decode a board's tables, against those of recorded boots: a guest's can be
 * read.
 */
import t from 'tap';
import { registersInOperation, registersOfUnknown } from '../../src/model/live-registers.ts';
import { predict } from '../../src/model/predict.ts';
import { first } from '../../src/present.ts';
import type { Granule, SystemRegisters } from '../../src/vmsa/types.ts';
import { given } from '../given.ts';
import { type GoldenBoot, goldenNames, questionOfGolden, sharedGolden } from './golden.ts';

/** Bits 47:6 of TTBR1_EL1. */
const baddr = 0xffff_ffff_ffc0n;

/** The boot CPU's at the end of a recorded boot, and what VMCOREINFO would say of them. */
function recorded(golden: GoldenBoot) {
  const { registers } = first(given(golden.captures.at(-1)).cpus);
  const ttbr1 = given(registers.TTBR1_EL1);
  const t1sz = Number((given(registers.TCR_EL1) >> 16n) & 0x3fn);
  return { registers, root: { t1sz, pa: Number(ttbr1 & baddr) } };
}

/** Registers whose bits that the model knows of are others than those recorded. */
function others(golden: GoldenBoot, onBoard: SystemRegisters): string[] {
  const { TTBR0_EL1: _, ...mine }: Record<string, bigint> = { ...onBoard };
  const registers: Record<string, bigint> = { ...recorded(golden).registers };
  const { checkpoints } = predict(questionOfGolden(golden));
  const known = first(given(checkpoints.init ?? checkpoints.smp_cpus_done).registers);
  return [...new Set([...Object.keys(known), ...Object.keys(mine)])].filter((name) => {
    const { mask } = known[name] ?? { mask: 0n };
    const differ = (mine[name] ?? 0n) ^ (registers[name] ?? 0n);
    return name in mine !== name in known || (differ & mask) !== 0n;
  });
}

for (const name of goldenNames())
  t.test(name, async (t) => {
    const golden = sharedGolden(name);
    const question = questionOfGolden(golden);
    const { root } = recorded(golden);
    t.same(others(golden, registersInOperation(question, root)), []);
    const { geometry, config } = question.traits;
    const { hwAfdbm, haft, e0pd, mte, randomizeBase } = config;
    // What distributions build with; small kernels of ptdiff's own do without some of them.
    if (![hwAfdbm, haft, e0pd, mte, randomizeBase].every(Boolean)) return;
    const pages = { granule: geometry.granule, vaBits: config.vaBits };
    const unknown = registersOfUnknown(pages, first(question.facts.idRegisters), root);
    t.same(others(golden, unknown), [], 'without its Image');
  });

t.test('of a CPU and a size of pages that no recorded boot has', async (t) => {
  const of = registersOfUnknown;
  const pages = { granule: 4096, vaBits: 52 } as const;
  const root = { t1sz: 12, pa: 0x4000_0000 };
  t.equal(of(pages, {}, root).TTBR0_EL1, 0n, 'no user tables');
  // HAFDBS 3 is FEAT_HAFT: TCR2_EL1.HAFT (bit 11) by __cpu_setup(), where there is a TCR2_EL1.
  const haft = { ID_AA64MMFR1_EL1: 3n, ID_AA64MMFR3_EL1: 1n };
  t.equal(of(pages, haft, root).TCR2_EL1, 1n << 11n);
  t.equal(of(pages, { ...haft, ID_AA64MMFR1_EL1: 2n }, root).TCR2_EL1, 0n);
  // TCR_EL1.NFD1 (bit 54) is clear on A64FX v0r0 and v1r0: MIDR_FUJITSU_ERRATUM_010001.
  const nfd1 = (midr: bigint) => (of(pages, { MIDR_EL1: midr }, root).TCR_EL1 >> 54n) & 1n;
  t.equal(nfd1(0x461f_0010n), 0n);
  t.equal(nfd1(0x411f_d0b0n), 1n);
  // phys_to_ttbr(): bits 51:48 of the address are in 5:2 of TTBR1_EL1, with 64K pages and with LPA2.
  const high = { t1sz: 12, pa: 0x000f_8000_0000_0000 };
  t.equal(of({ granule: 65536, vaBits: 52 }, {}, high).TTBR1_EL1, 0x8000_0000_003cn);
  // TCR_EL1.IPS (34:32) is 6, 52 bits, where CPU and kernel have them: with 64K pages (PARange 6).
  const ips = (granule: Granule, vaBits: number, t1sz: number) =>
    (of({ granule, vaBits }, { ID_AA64MMFR0_EL1: 6n }, { t1sz, pa: 0 }).TCR_EL1 >> 32n) & 7n;
  t.equal(ips(65536, 52, 12), 6n);
  t.equal(ips(65536, 48, 16), 5n);
  t.equal(ips(4096, 52, 12), 6n);
  t.equal(ips(4096, 52, 16), 5n, 'LPA2 is not in use');
});
