// SPDX-License-Identifier: GPL-2.0-only
import { statSync } from 'node:fs';
import { join } from 'node:path';
import { prepareLaboratory } from '../harness/laboratory/laboratory.ts';
import { readRecording } from '../results/recording-file.ts';
import { present } from '../src/present.ts';
import type { BenchLaboratory } from './bench-laboratory.ts';
import { measurePair, pairText, sums } from './pair-cost.ts';
import { quotients, type Ratio } from './ratio.ts';

/**
 * A recorded case, compared with the same case without a recording, on the CPUs of the scenario and
 * on two: in QEMU, and as a whole; and how much of it ptdiff takes to read, prove and judge the
 * recording.
 */
export async function benchRecordCost(bench: BenchLaboratory, rounds: number): Promise<Ratio[]> {
  const prepared = await prepareLaboratory([bench.scenario], undefined);
  const laboratory = { ...prepared, exercises: false as const };
  const ratios: Ratio[] = [];
  for (const cpus of new Set([bench.scenario.machine.cpus, 2])) {
    const machine = { ...bench.scenario.machine, cpus };
    const plain = { ...bench, scenario: { ...bench.scenario, machine } };
    ratios.push(...(await benchMachine({ ...plain, laboratory }, plain, rounds)));
  }
  return ratios;
}

async function benchMachine(
  recorded: BenchLaboratory,
  plain: BenchLaboratory,
  rounds: number,
): Promise<Ratio[]> {
  const { name, machine } = plain.scenario;
  const what = `${name}, ${machine.cpus} CPUs, recorded / not recorded`;
  let sizes = '';
  const costs = await measurePair(recorded, plain, rounds, (folder) => {
    const raw = present(readRecording(folder), 'recording').events.length;
    const kept = statSync(join(folder, 'recording.zst')).size;
    sizes = `${raw} bytes of events, recording.zst ${kept} bytes`;
  });
  console.log(`${what}: ${pairText(costs)}; ${sizes}`);
  const children = (list: typeof costs.dear) => list.map((each) => each.children);
  const judging = costs.dear.map(
    ({ own }, round) => own - present(costs.plain[round], 'plain case').own,
  );
  return [
    {
      what: `${what}, CPU seconds of QEMU`,
      values: quotients(children(costs.dear), children(costs.plain)),
      target: { at: 'most', value: 1.16 },
    },
    {
      what: `${what}, CPU seconds of a case`,
      values: quotients(sums(costs.dear), sums(costs.plain)),
    },
    {
      what: `${name}, ${machine.cpus} CPUs, judging a recording / the recorded case, CPU seconds`,
      values: quotients(judging, sums(costs.dear)),
      target: { at: 'most', value: 0.15 },
    },
  ];
}
