// SPDX-License-Identifier: GPL-2.0-only
import t from 'tap';
import { type CpuCapability, cpucapType } from '../../../../../src/linux/cpu-capabilities.ts';
import type { KernelTraits } from '../../../../../src/linux/kernel-traits.ts';
import { smp_init } from '../../../../../src/model/arch/arm64/kernel/smp.ts';
import type { BootState, IdRegisters } from '../../../../../src/model/boot-state.ts';

/** A CPU that is on no list, with a value of ID_AA64MMFR2_EL1.BBM. */
const withBbm = (level: bigint): IdRegisters => ({
  MIDR_EL1: 0x000f0510n,
  ID_AA64MMFR2_EL1: level << 52n,
});
const [bbm2, bbm3] = [withBbm(2n), withBbm(3n)];

/** As 7.3 has it: a late CPU may lack nothing that the system has, and have nothing else. */
const bbml3: CpuCapability = {
  number: 1,
  description: 'BBM Level 3',
  type: 0,
  match: { bbml: 'bbml3', listed: [] },
};

/** What becomes of these CPUs, and for which of them the kernel's check is explained. */
function online(
  idRegisters: IdRegisters[],
  {
    late = false,
    probes = [],
    capabilities = [bbml3],
  }: { late?: boolean; probes?: string[]; capabilities?: CpuCapability[] | 'hidden' },
) {
  const checked: string[] = [];
  const state = {
    traits: (capabilities === 'hidden' ? {} : { cpuCapabilities: capabilities }) as KernelTraits,
    question: { machine: { cpus: idRegisters.length, late }, probes, facts: { idRegisters } },
    why: (_where: string, _source: string, outcome: string) => checked.push(outcome),
  } as unknown as BootState;
  smp_init(state);
  return { ...state.cpus, checked };
}

const warning = 'unexpected variation in SYS_ID_AA64MMFR2_EL1';
const refusal = 'CPU refused for having BBM Level 3';

t.test('a CPU that the boot brings up is warned about, and never refused', async (t) => {
  // check_local_cpu_capabilities(): before the capabilities are final, a CPU adds to them.
  for (const probes of [[], ['cpu_online']])
    t.same(online([bbm2, bbm3], { probes }), {
      onlineAtBoot: 0b11n,
      onlineAtInit: 0b11n,
      refused: [],
      complaints: [warning],
      unknown: false,
      checked: [],
    });
});

t.test('CPUs that differ in HAFDBS alone are told apart', async (t) => {
  const having = (hafdbs: bigint) => ({ ...bbm2, ID_AA64MMFR1_EL1: hafdbs });
  const { complaints } = online([having(0n), having(1n)], {});
  t.same(complaints, ['unexpected variation in SYS_ID_AA64MMFR1_EL1']);
  t.same(online([having(1n), having(1n)], {}).complaints, []);
});

t.test('a CPU that goes and comes again is checked like one that comes late', async (t) => {
  t.match(
    online([bbm2, bbm3], { probes: ['cpu_hotplug'] }),
    { onlineAtBoot: 0b11n, onlineAtInit: 0b01n, refused: [1], complaints: [warning, refusal] },
    'the boot has warned of it already',
  );
  t.match(online([bbm3, bbm3], { probes: ['cpu_hotplug'] }), {
    onlineAtInit: 0b11n,
    checked: [/^CPU1 goes, comes again and is let in/],
  });
});

t.test('a CPU stays off after maxcpus=1 until init asks for it', async (t) => {
  t.same(online([bbm2, bbm3], { late: true }), {
    onlineAtBoot: 1n,
    onlineAtInit: 1n,
    refused: [],
    complaints: [],
    unknown: false,
    checked: [],
  });
  const refused = online([bbm2, bbm3, bbm2], { late: true, probes: ['cpu_online'] });
  t.match(refused, { onlineAtBoot: 1n, onlineAtInit: 0b101n, refused: [1] });
  t.same(refused.complaints, [refusal], 'what is refused is not compared any more');
  const permitted = { ...bbml3, type: cpucapType.permittedForLate };
  const letIn = online([bbm2, bbm3], {
    ...{ late: true, probes: ['cpu_online'], capabilities: [permitted] },
  });
  t.match(letIn, { onlineAtInit: 0b11n, checked: [/^CPU1 comes late and is let in/] });
  t.same(letIn.complaints, [warning]);
});

t.test('which late CPUs come is not known where the Image shows no capabilities', async (t) => {
  const unknown = (probes: string[], capabilities: CpuCapability[] | 'hidden') =>
    online([bbm2, bbm3], { late: true, probes, capabilities }).unknown;
  t.equal(unknown(['cpu_online'], 'hidden'), true);
  t.equal(unknown([], 'hidden'), false, 'none is asked for');
  t.equal(unknown(['cpu_online'], [bbml3]), false);
});
