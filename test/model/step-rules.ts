// SPDX-License-Identifier: GPL-2.0-only
import { isDeepStrictEqual } from 'node:util';
import { _PAGE_END, _PAGE_OFFSET } from '../../src/linux/kernel-layout.ts';
import { PTE_NG, PTE_VALID } from '../../src/linux/pgprot.ts';
import { kernelProt } from '../../src/model/arch/arm64/include/asm/pgtable-prot.ts';
import { arm64_memblock_init } from '../../src/model/arch/arm64/mm/init.ts';
import { predictRegisters } from '../../src/model/arch/arm64/mm/proc.ts';
import { recordDerivation } from '../../src/model/derivation.ts';
import { predict } from '../../src/model/predict.ts';
import type { Question } from '../../src/model/question.ts';
import type { CheckpointPrediction } from '../../src/model/types.ts';
import { given } from '../given.ts';
import { questionOfGolden, sharedGolden } from './golden.ts';
import type { Rule } from './rule.ts';

const question = (name: string): Question => questionOfGolden(sharedGolden(`${name}.json.gz`));

/** What the derivation of a recorded boot says of one function of the kernel. */
function said(where: string, asked: Question | string): string[] {
  const { derivation } = predict(typeof asked === 'string' ? question(asked) : asked);
  return derivation.filter((step) => step.where === where).map(({ outcome }) => outcome);
}

const saysThat = (where: string, asked: Question | string, ...outcomes: string[]): boolean =>
  isDeepStrictEqual(said(where, asked), outcomes);

const lateMax = '7.3.4+deb13-arm64@monitor+neoverse-v3-r0p2+late-max';

/** The same machine, whose late CPU also lacks the hardware access flag. */
function lateWithoutAccessFlag(): Question {
  const original = question(lateMax);
  const idRegisters = original.facts.idRegisters.map((registers, cpu) => {
    const own = registers.ID_AA64MMFR1_EL1 ?? 0n;
    return cpu === 0 ? registers : { ...registers, ID_AA64MMFR1_EL1: own & ~0xfn };
  });
  return { ...original, facts: { ...original.facts, idRegisters } };
}

/** What a realm says of shared memory, if two CPUs were online before their capabilities final. */
function sharingWithTwoCpus(where: string): string[] {
  const original = question('7.0.13+deb13-arm64@realm-early-share');
  const sharing = original.facts.sharing
    .filter(({ capabilitiesFinal }) => !capabilitiesFinal)
    .slice(0, 2)
    .map((request) => ({ ...request, onlineCpus: 2 }));
  return said(where, { ...original, facts: { ...original.facts, sharing } });
}

/** A machine of so many GiB whose kernel has 39 bits: its linear region holds 256 GiB. */
function memblockOf(gib: number) {
  const { traits, machine } = question('7.3.4-4k39@max+pagealloc');
  const { steps, why } = recordDerivation();
  const inputs = {
    ...{ traits, machine: { ...machine, memory: gib * 1024 }, kaslr: false, facts: {} },
    imageEnd: () => 0x4400_0000,
  };
  const region = { start: _PAGE_OFFSET(39), end: _PAGE_END(39) };
  const { physBase, memory } = arm64_memblock_init(inputs, region, why);
  const told = steps.some(({ outcome }) => outcome.includes('does not fit the linear region'));
  return { told, size: given(memory.at(-1)).end - physBase };
}

/** Bytes of the linear map that are invalid at init, if __bss_stop lay so much further down. */
function invalidBytes(less: number): number {
  const original = question('7.3.4-4k39@neoverse-v3-r0p2+kpti');
  const symbolOffset = (name: string) =>
    original.symbolOffset(name) - (name === '__bss_stop' ? less : 0);
  const { checkpoints } = predict({ ...original, symbolOffset });
  const invalid = leavesOf(checkpoints.init).filter(({ attributes }) => !(attributes & PTE_VALID));
  return invalid.reduce((sum, { size }) => sum + size, 0);
}

const leavesOf = (checkpoint: CheckpointPrediction | undefined) => given(checkpoint).leaves;

/** crashk_res of a kernel that is asked to reserve memory where the early KFENCE pool would lie. */
function crashMemoryAtPool(sampleInterval: number): bigint | undefined {
  const original = question('7.3.4+deb13-arm64@max+kfence100');
  const kfencePool = 0x5000_0000;
  const parameters = [
    `kfence.sample_interval=${sampleInterval}`,
    `crashkernel=8M@0x${kfencePool.toString(16)}`,
  ];
  const facts = { ...original.facts, kfencePool, memblockReserved: [] };
  const asked: Question = { ...original, parameters, facts, until: 'smp_cpus_done' };
  return predict(asked).checkpoints.smp_cpus_done?.variables.crashk_res;
}

/** HA and HD of TCR_EL1 at init, on a CPU that has both. */
function accessFlagAndDirtyState(hwAfdbm: boolean): bigint {
  const { traits, facts } = question('7.3.4+deb13-arm64@max+noalias');
  const { decisions } = predict(question('7.3.4+deb13-arm64@max+noalias'));
  const config = { ...traits.config, hwAfdbm };
  const idRegisters = given(facts.idRegisters[0]);
  const inputs = { traits: { ...traits, config }, decisions, idRegisters, vaBits: 48 };
  const { TCR_EL1 } = predictRegisters({ ...inputs, swapper: 0x4200_0000 }, 'init');
  return (given(TCR_EL1).bits >> 39n) & 3n;
}

/** Rules about single steps of a boot, and about what the derivation says of them. */
export const stepRules: readonly Rule[] = [
  {
    name: 'with KASLR the derivation says whether FEAT_E0PD spares it non-global mappings',
    holds: () =>
      saysThat(
        'kaslr_requires_kpti()',
        '7.3.4+deb13-arm64@cortex-a76+kaslr',
        'FEAT_E0PD false: non-global mappings true',
      ) &&
      saysThat(
        'kaslr_requires_kpti()',
        '7.3.4+deb13-arm64@cortex-a710+kaslr',
        'FEAT_E0PD true: non-global mappings false',
      ) &&
      saysThat('kaslr_requires_kpti()', '6.12.107+deb13-arm64@cortex-a76'),
  },
  {
    name: 'a realm asks for the version of the RSI once, whether it probes RSI early or late',
    holds: () => {
      const original = question('7.3.4+deb13-arm64@realm+max+noalias+kfence100');
      return [true, false].every((rsiBeforePagingInit) => {
        const traits = { ...original.traits, rsiBeforePagingInit };
        const { rsi } = predict({ ...original, traits });
        const [before, ...others] = (rsi ?? [])
          .filter(({ step }) => step === 'version')
          .map((call) => call.before);
        const isEarly = before === 'paging_init';
        return others.length === 0 && before !== undefined && isEarly === rsiBeforePagingInit;
      });
    },
  },
  {
    // secondary_start_kernel() calls check_local_cpu_capabilities() before cpuinfo_store_cpu().
    name: 'a late CPU that is refused is gone before its registers are compared',
    holds: () =>
      isDeepStrictEqual(predict(lateWithoutAccessFlag()).complaints, [
        'CPU refused for lacking BBM Level 3',
      ]),
  },
  {
    name: 'the derivation says what became of each CPU that comes after boot, and why',
    holds: () => {
      const rest = 'is let in; the linear map stays as it is';
      const verify = 'verify_local_cpu_caps()';
      const hotplug = '7.3.4+deb13-arm64@realm+neoverse-v3-r0p2+then-max+hotplug';
      return (
        saysThat(verify, lateMax, 'CPU1 is refused: BBM Level 3, system true, CPU false') &&
        saysThat(
          verify,
          '7.3.4+deb13-arm64@monitor+max-bbm2+late-bbm3',
          `CPU1 comes late and ${rest}`,
        ) &&
        saysThat(verify, hotplug, `CPU1 goes, comes again and ${rest}`)
      );
    },
  },
  {
    name: 'memory that does not fit the linear region is left out, and the derivation says so',
    holds: () => {
      const size = 2 ** 38;
      return (
        isDeepStrictEqual(memblockOf(256), { told: false, size }) &&
        isDeepStrictEqual(memblockOf(257), { told: true, size })
      );
    },
  },
  {
    name: 'a realm that may split nothing yet is refused with -EBUSY, and shares nothing',
    holds: () => {
      const busy = sharingWithTwoCpus('split_kernel_leaf_mapping()').filter((outcome) =>
        outcome.startsWith('WARN and -EBUSY'),
      );
      return busy.length === 2 && sharingWithTwoCpus('realm_set_memory_decrypted()').length === 0;
    },
  },
  {
    name: 'a realm that may split nothing any more is refused with -EINVAL, and leaks its pages',
    holds: () => {
      const refused = said('realm_set_memory_decrypted()', '6.17.13+deb13-arm64@realm-late-rsi');
      return refused.length === 5 && refused.every((outcome) => /-EINVAL .*leaked$/.test(outcome));
    },
  },
  {
    name: 'a boot that did not tell what was free when KPTI came had nothing that was invalid',
    holds: () => {
      const original = question('6.12.107-debug_pagealloc@max+pagealloc+kpti');
      const { freeAtKpti, ...facts } = original.facts;
      const { checkpoints } = predict({ ...original, facts, until: 'smp_cpus_done' });
      return (
        freeAtKpti !== undefined &&
        leavesOf(checkpoints.smp_cpus_done).every(({ attributes }) => attributes & PTE_NG)
      );
    },
  },
  {
    name: 'a page that __bss_stop divides stays valid: numpages of set_memory_valid() rounds down',
    holds: () => invalidBytes(0) - invalidBytes(0x800) === 4096,
  },
  {
    name: 'memory for a crash kernel cannot be had where the KFENCE pool was taken early',
    holds: () =>
      crashMemoryAtPool(100) === 0n &&
      crashMemoryAtPool(0) === (0x507f_ffffn << 64n) + 0x5000_0000n,
  },
  {
    name: 'without CONFIG_ARM64_HW_AFDBM neither access flag nor dirty state is left to the CPU',
    holds: () => accessFlagAndDirtyState(true) === 3n && accessFlagAndDirtyState(false) === 0n,
  },
  {
    name: 'PTE_MAYBE_NG is PTE_NG, or nothing',
    holds: () => {
      const { traits } = question('7.3.4+deb13-arm64@max+noalias');
      const maybeNg = (useNgMappings: boolean) =>
        kernelProt(traits, { useNgMappings, lpa2: false }).maybeNg;
      return maybeNg(true) === PTE_NG && maybeNg(false) === 0n;
    },
  },
];
