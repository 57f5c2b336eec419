// SPDX-License-Identifier: GPL-2.0-only
import type { BenchLaboratory } from './bench-laboratory.ts';
import { benchPairCost } from './pair-cost.ts';
import type { Ratio } from './ratio.ts';

/** A case as a realm, compared with the same case in the normal world without the monitor. */
export function benchRealmCost(
  realm: BenchLaboratory,
  normal: BenchLaboratory,
  rounds: number,
): Promise<Ratio> {
  const what = `${realm.scenario.name} / ${normal.scenario.name}`;
  return benchPairCost(realm, normal, rounds, { what, target: 1.25 });
}
