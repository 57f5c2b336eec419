// SPDX-License-Identifier: GPL-2.0-only
import { prepareLaboratory } from '../harness/laboratory/laboratory.ts';
import type { BenchLaboratory } from './bench-laboratory.ts';
import { benchPairCost } from './pair-cost.ts';
import type { Ratio } from './ratio.ts';

/** A recorded case, compared with the same case without a recording. */
export async function benchRecordCost(plain: BenchLaboratory, rounds: number): Promise<Ratio> {
  const laboratory = await prepareLaboratory([plain.scenario], undefined, true);
  const what = `${plain.scenario.name}, recorded / not recorded`;
  const same: BenchLaboratory = { ...plain, laboratory: { ...laboratory, exercises: false } };
  return benchPairCost(same, plain, rounds, { what, target: 1.16 });
}
