// SPDX-License-Identifier: GPL-2.0-only
/** Named CPUs at every border of the kernel's allow lists. */
import t from 'tap';
import { bbmlAllowList, cpuSupportsBbml } from '../../src/model/arch/arm64/kernel/cpufeature.ts';
import { cpus } from '../../src/scenario/cpus.ts';

const [REVISION, VARIANT] = [0xfn, 0xf0_0000n];
const named = new Set(cpus.map(({ midr }) => midr));

/** MIDR_EL1 of a part's revision; variant << 20 | revision as the kernel compares them. */
const midrOf = (model: number, revision: number): bigint => BigInt(model) | BigInt(revision);

for (const bbml of ['bbml2', 'bbml3'] as const) {
  const capable = (midr: bigint): boolean =>
    cpuSupportsBbml({ bbml }, { MIDR_EL1: midr }) !== undefined;

  t.test(
    `${bbml}: each entry has a CPU at its lower end, and neighbours outside where it has ends`,
    async (t) => {
      for (const { name, model, from, to } of bbmlAllowList(bbml)) {
        const lowest = midrOf(model, from);
        t.ok(named.has(lowest) && capable(lowest), `${name}: the first that is in`);
        if (from === 0) continue;
        const older = from & 0xf ? midrOf(model, from - 1) : undefined;
        t.ok(
          older !== undefined && named.has(older) && !capable(older),
          `${name}: the last before`,
        );
        const otherVariant = [...named].filter(
          (midr) =>
            (midr & ~(REVISION | VARIANT)) === BigInt(model) && ((midr ^ lowest) & VARIANT) !== 0n,
        );
        const sameRevision = otherVariant.filter(
          (midr) => (midr & REVISION) === (lowest & REVISION),
        );
        t.ok(
          sameRevision.some((midr) => !capable(midr)),
          `${name}: its revision in a variant that is out`,
        );
        t.equal(
          otherVariant.some(capable),
          to > 0xf,
          `${name}: a lower revision of a higher variant is in, where the entry has no upper end`,
        );
      }
    },
  );
}

t.test(
  'every CPU of a listed part is told apart by some kernel, or named as its neighbour',
  async (t) => {
    for (const { name, midr, about } of cpus.filter(({ qemu }) => qemu.startsWith('max,midr='))) {
      const listed = cpuSupportsBbml({ bbml: 'bbml3' }, { MIDR_EL1: midr }) !== undefined;
      t.equal(/\boff\b|does not trust/.test(about), !listed, `${name}: ${about}`);
    }
  },
);
