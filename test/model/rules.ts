import { type Question, predict } from '../../src/model/predict.ts';
import type { Prediction } from '../../src/model/types.ts';
import { questionOfGolden, readGolden } from './golden.ts';

/** A rule that no recorded boot can show, checked on a recorded question that was changed; true when the model keeps it. */
export interface Rule {
  name: string;
  holds(): boolean;
}

const question = (name: string): Question => questionOfGolden(readGolden(`${name}.json.gz`));

/** Number of leaves of the linear map at init. */
function leaves({ checkpoints }: Prediction): number {
  return checkpoints.init?.leaves.length ?? 0;
}

/** The question with one more request to split at the second page of a large leaf in the middle of memory. */
function withRequest(original: Question): Question {
  const { linearRegion } = predict(original);
  const start = linearRegion.start + 0x1800_0000n + BigInt(original.traits.geometry.granule);
  const request = { start, end: start + BigInt(original.traits.geometry.granule), before: 'init' as const };
  return { ...original, facts: { ...original.facts, splitRequests: [...original.facts.splitRequests, request] } };
}

function requestSplits(name: string): boolean {
  const original = question(name);
  return leaves(predict(withRequest(original))) > leaves(predict(original));
}

export const rules: readonly Rule[] = [
  {
    name: 'kernels before 6.18 do not know the capability, whatever the CPU',
    holds: () => !predict({ ...question('6.17.13+deb13-arm64@neoverse-v3-r0p1+noalias'), facts: trusted() }).decisions.bootCpuBbml,
  },
  {
    name: '16K pages have no level 1 blocks, even with 256 GiB of memory',
    holds: () => {
      const large = question('7.3.4+deb13-arm64-16k@max+off+kfence100');
      const prediction = predict({ ...large, machine: { ...large.machine, memory: 256 * 1024 } });
      return prediction.checkpoints.paging_init?.leaves.every(({ level }) => level > 1) === true;
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
];

/** Boot facts of a Neoverse-V3 that newer kernels trust. */
function trusted(): Question['facts'] {
  const { facts } = question('6.17.13+deb13-arm64@neoverse-v3-r0p1+noalias');
  return { ...facts, idRegisters: facts.idRegisters.map((registers) => ({ ...registers, MIDR_EL1: 0x410fd842n })) };
}
