// SPDX-License-Identifier: GPL-2.0-only
import { isDeepStrictEqual } from 'node:util';
import { geometryOf } from '../../src/linux/geometry.ts';
import { PTE_TYPE_PAGE } from '../../src/linux/pgprot.ts';
import { __create_pgd_mapping } from '../../src/model/arch/arm64/mm/mmu-create.ts';
import {
  range_split_to_ptes,
  split_kernel_leaf_mapping_locked,
} from '../../src/model/arch/arm64/mm/mmu-split.ts';
import { predictRegisters } from '../../src/model/arch/arm64/mm/proc.ts';
import { leafRuns } from '../../src/model/leaf-runs.ts';
import { LinearMap } from '../../src/model/linear-map.ts';
import { predict } from '../../src/model/predict.ts';
import type { Question } from '../../src/model/question.ts';
import type { Prediction } from '../../src/model/types.ts';
import { deviceNames } from '../../src/scenario/devices.ts';
import { given } from '../given.ts';
import { cpuRules } from './cpu-rules.ts';
import { questionOfGolden, sharedGolden } from './golden.ts';
import type { Rule } from './rule.ts';
import { stepRules } from './step-rules.ts';
import { tableRules } from './table-rules.ts';

const question = (name: string): Question => questionOfGolden(sharedGolden(`${name}.json.gz`));

/** Number of leaves of the linear map at init. */
function leaves({ checkpoints }: Prediction): number {
  return checkpoints.init?.leaves.length ?? 0;
}

/** The question with one more request to split, `size` bytes from `offset` in the linear region. */
function withRequest(original: Question, offset: bigint, size: number): Question {
  const start = predict(original).linearRegion.start + offset;
  const request = { start, end: start + BigInt(size), before: 'init' as const };
  return {
    ...original,
    facts: { ...original.facts, splitRequests: [...original.facts.splitRequests, request] },
  };
}

/** A place in the middle of memory, where leaves are as large as they get. */
const MIDDLE = 0x1800_0000n;

/** Whether a request for the second page of a large leaf splits it. */
function requestSplits(name: string): boolean {
  const original = question(name);
  const { granule } = original.traits.geometry;
  return (
    leaves(predict(withRequest(original, MIDDLE + BigInt(granule), granule))) >
    leaves(predict(original))
  );
}

/** The question with one more call of set_memory_ro(), on pages that were given back since. */
function withProtection(name: string): { before: number; after: number } {
  const original = question(name);
  const start = given(predict(original).checkpoints.init?.leaves[0]).pa ?? 0;
  const frames = [
    {
      start: start + Number(MIDDLE),
      end: start + Number(MIDDLE) + 4 * original.traits.geometry.granule,
    },
  ];
  const request = { frames, before: 'init' as const };
  const changed = { ...original, facts: { ...original.facts, protectRequests: [request] } };
  return { before: leaves(predict(original)), after: leaves(predict(changed)) };
}

/** Whether KPTI is on with these parameters, on a recorded machine whose CPU does not need it. */
function kptiWith(kaslr: boolean, ...parameters: string[]): boolean {
  const original = question('6.12.107+deb13-arm64@cortex-a76+kaslr');
  return predict({ ...original, kaslr, parameters }).decisions.kpti;
}

/**
 * The complaints that the model predicts of a recorded boot, on CPUs whose ID registers are
 * changed.
 */
function complaintsOf(
  name: string,
  change: (registers: Record<string, bigint>, cpu: number) => Record<string, bigint> = (
    registers,
  ) => registers,
): string {
  const original = question(name);
  const idRegisters = original.facts.idRegisters.map(change);
  return predict({ ...original, facts: { ...original.facts, idRegisters } }).complaints.join('; ');
}

/** What the probes of all devices find on a recorded machine that gets them. */
function deviceProbes(name: string): (number | undefined)[] {
  const predicted = predict({ ...question(name), probes: [...deviceNames] }).probes;
  return deviceNames.map((device) => predicted.find(({ probe }) => probe === device)?.errno);
}

const late = {
  refused: '7.3.4+deb13-arm64@monitor+neoverse-v3-r0p2+late-max',
  permitted: '7.3.4+deb13-arm64@monitor+max-bbm2+late-bbm3',
};

/**
 * Whether debug_pagealloc is on with these parameters, on a kernel that has it, off by default or
 * on.
 */
function pageallocWith(byDefault: boolean, ...parameters: string[]): boolean {
  const original = question('7.3.4-4k39@max+pagealloc');
  const config = { ...original.traits.config, debugPageallocDefault: byDefault };
  return predict({ ...original, traits: { ...original.traits, config }, parameters }).decisions
    .debugPagealloc;
}

/** TTBR1_EL1 of a kernel with 64K pages built for 52 bits, on a CPU that has `vaBits`. */
function rootOf64k(vaBits: number): bigint {
  const { traits, facts } = question('7.3.4-4k39@max+pagealloc');
  const geometry = geometryOf(65536);
  const config = {
    ...traits.config,
    granule: geometry.granule,
    vaBits: 52,
    paBits: 52,
    lpa2: false,
  };
  const { decisions } = predict(question('7.3.4-4k39@max+pagealloc'));
  const inputs = {
    traits: { ...traits, geometry, config },
    decisions,
    idRegisters: given(facts.idRegisters[0]),
    vaBits,
  };
  return given(predictRegisters({ ...inputs, swapper: 0x4200_0000 }, 'init').TTBR1_EL1).bits;
}

/**
 * Kinds of leaves that three GiB in the middle of a region of 36 bits get with 16K pages, which
 * have two levels of tables then.
 */
function leavesOfTwoLevels(): { level: number; contiguous: boolean; size: number }[] {
  const { traits } = question('7.3.4+deb13-arm64-16k@max+off+kfence100');
  const map = new LinearMap(traits.geometry, 36, 0n, 0);
  const start = 4 * 2 ** 30;
  __create_pgd_mapping(map, traits, start, start + 3 * 2 ** 30, PTE_TYPE_PAGE, 0, true);
  range_split_to_ptes(map, traits, start, start + 1);
  split_kernel_leaf_mapping_locked(map, traits, start + 2 ** 30 + traits.geometry.granule);
  return leafRuns(map, []).map(({ level, contiguous, size }) => ({ level, contiguous, size }));
}

/** What is predicted of a recorded realm if its kernel had probed RSI before paging_init(). */
function probedEarly(name: string): Prediction {
  const original = question(name);
  return predict({ ...original, traits: { ...original.traits, rsiBeforePagingInit: true } });
}

export const rules: readonly Rule[] = [
  ...cpuRules,
  ...stepRules,
  ...tableRules,
  {
    name: 'a realm that probes RSI before paging_init() maps pages, and can share each',
    holds: () => {
      const { decisions, checkpoints, rsi, derivation } = probedEarly(
        '7.3.4+deb13-arm64@realm+max+noalias+kfence100',
      );
      return (
        decisions.forcePteMapping &&
        decisions.canSetDirectMapInMapMem &&
        checkpoints.paging_init?.leaves.every(
          ({ level, contiguous }) => level === 3 && !contiguous,
        ) === true &&
        rsi?.[0]?.before === 'paging_init' &&
        !derivation.some(({ outcome }) => outcome.includes('-EINVAL'))
      );
    },
  },
  {
    name: 'a realm whose blocks cannot be shared has no driver: no port and no disk (ENOENT), no randomness and no network (ENODEV)',
    holds: () =>
      isDeepStrictEqual(deviceProbes('6.17.13+deb13-arm64@realm-late-rsi'), [2, 2, 19, 19]),
  },
  {
    name: 'devices work in a realm of pages, and of blocks that can be split, and in the normal world with any blocks',
    holds: () =>
      [
        '7.3.4+deb13-arm64@realm+max',
        '7.2.13+deb14-arm64@realm+neoverse-v3-r0p2+console',
        '7.2.13+deb14-arm64@max+off+kfence100',
      ].every((name) => isDeepStrictEqual(deviceProbes(name), [0, 0, 0, 0])),
  },
  {
    name: 'with two levels of tables the root holds blocks, never contiguous ones, and they can be split',
    holds: () => {
      const PMD = 32 * 2 ** 20;
      const block = (blocks: number) => ({ level: 2, contiguous: false, size: blocks * PMD });
      const split = [
        { level: 3, contiguous: false, size: PMD },
        block(31),
        { level: 3, contiguous: false, size: 2 * 2 ** 20 },
        { level: 3, contiguous: true, size: PMD - 2 * 2 ** 20 },
        block(31 + 32),
      ];
      return isDeepStrictEqual(leavesOfTwoLevels(), split);
    },
  },
  {
    name: 'a kernel with 64K pages for 52 bits walks the end of its root on a CPU with 48',
    holds: () => rootOf64k(52) === 0x4200_0000n && rootOf64k(48) === 0x4200_1e00n,
  },
  {
    name: 'debug_pagealloc=: the last value that kstrtobool() takes, else the default of the build',
    holds: () =>
      pageallocWith(true) &&
      !pageallocWith(false) &&
      pageallocWith(false, 'debug_pagealloc=off', 'debug_pagealloc=Yes') &&
      !pageallocWith(true, 'debug_pagealloc=0', 'debug_pagealloc=maybe'),
  },
  {
    name: 'KPTI: the parameter wins, then KASLR, then mitigations=off, then the CPU',
    holds: () =>
      kptiWith(false, 'kpti=off', 'kpti=on') &&
      kptiWith(false, 'kpti=1', 'kpti=perhaps') &&
      !kptiWith(true, 'kpti=n') &&
      kptiWith(true, 'mitigations=off') &&
      !kptiWith(false),
  },
  {
    name: 'a late CPU without the capability is refused where the system has it',
    holds: () => complaintsOf(late.refused) === 'CPU refused for lacking BBM Level 3',
  },
  {
    name: 'a late CPU may have the capability where the system lacks it; its other FEAT_BBM level is complained about',
    holds: () => complaintsOf(late.permitted) === 'unexpected variation in SYS_ID_AA64MMFR2_EL1',
  },
  {
    name: 'a CPU without the hardware access flag is let in beside one that has it, and complained about',
    holds: () =>
      complaintsOf('7.3.4+deb13-arm64@monitor+max+then-no-hafdbs') ===
      'unexpected variation in SYS_ID_AA64MMFR1_EL1',
  },
  {
    name: 'a late CPU is refused for an erratum that the system does not work around, but not for the lack of one',
    holds: () => {
      const swapped = (_: Record<string, bigint>, cpu: number) => {
        const { idRegisters } = question(late.refused).facts;
        return given(idRegisters[1 - cpu]);
      };
      return (
        complaintsOf(late.refused, swapped) ===
        'CPU refused for having Broken broadcast TLBI completion'
      );
    },
  },
  {
    name: 'set_memory_ro() splits the alias of each of its pages under rodata_full',
    holds: () => {
      const { before, after } = withProtection('7.0.13+deb13-arm64@neoverse-v3-r0p2+kfence100');
      return after > before;
    },
  },
  {
    name: 'set_memory_ro() leaves aliases alone without rodata_full',
    holds: () => {
      const { before, after } = withProtection('7.3.4+deb13-arm64@neoverse-v3-r0p2+noalias');
      return after === before;
    },
  },
  {
    name: 'kernels before 6.18 do not know the capability, whatever the CPU',
    holds: () =>
      !predict({ ...question('6.17.13+deb13-arm64@neoverse-v3-r0p1+noalias'), facts: trusted() })
        .decisions.bootCpuBbml,
  },
  {
    name: '16K pages have no level 1 blocks, even where memory is aligned to them',
    holds: () => {
      const { traits } = question('7.3.4+deb13-arm64-16k@max+off+kfence100');
      const map = new LinearMap(traits.geometry, 47, 0n, 0);
      __create_pgd_mapping(map, traits, 0, 2 * traits.geometry.PUD_SIZE, PTE_TYPE_PAGE, 0, true);
      return leafRuns(map, []).every(({ level }) => level === 2);
    },
  },
  {
    name: 'a request splits nothing on a CPU without the capability',
    holds: () => !requestSplits('7.2.13+deb14-arm64@max+off+kfence100'),
  },
  {
    name: '6.18 splits wherever the CPU is capable',
    holds: () => requestSplits('6.18.15+deb13-arm64@neoverse-v3-r0p2+off+kfence100'),
  },
  {
    name: 'since f12b435de2f2 nothing is split unless the requires flag is set',
    holds: () => !requestSplits('7.1.13+deb13-arm64@neoverse-v3-r0p2+off+kfence100'),
  },
  {
    name: 'a request for a whole contiguous group splits nothing',
    holds: () => {
      const original = question('7.0.13+deb13-arm64@neoverse-v3-r0p2+kfence100');
      const group = withRequest(original, MIDDLE, original.traits.geometry.CONT_PMD_SIZE);
      return leaves(predict(group)) === leaves(predict(original));
    },
  },
];

/** Boot facts of a Neoverse-V3 that newer kernels trust. */
function trusted(): Question['facts'] {
  const { facts } = question('6.17.13+deb13-arm64@neoverse-v3-r0p1+noalias');
  return {
    ...facts,
    idRegisters: facts.idRegisters.map((registers) => ({ ...registers, MIDR_EL1: 0x410fd842n })),
  };
}
