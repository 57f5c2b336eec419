// SPDX-License-Identifier: GPL-2.0-only
import type { Capture, CheckpointName, ProbeResult } from '../evidence/capture.ts';
import { geometryOf, levelShift } from '../linux/geometry.ts';
import type { PredictedRegister, PredictedTable, ProbePrediction } from '../model/types.ts';
import { present } from '../present.ts';
import { type DeviceName, isDelivered } from '../scenario/devices.ts';
import type { Granule, SystemRegisters, TablePage } from '../vmsa/types.ts';
import { type ImageLayout, inTrampoline } from './context.ts';
import { findingId, slug } from './finding-id.ts';
import { differingFields } from './register-fields.ts';
import { countText, detailOf, hex } from './text.ts';
import type { Finding } from './types.ts';

/**
 * Compares the predicted table descriptors with the walked ones, as a multiset by level and VA: the
 * kernel is free to choose a table's address. Roots are left out, since no descriptor points to
 * them, and so are tables that translate anything outside [start, end): with 52-bit addresses the
 * linear region shares its last level 0 table with the kernel image (map_mem(),
 * arch/arm64/mm/mmu.c), and map_kernel() made that table.
 */
export function compareTables(
  predicted: readonly PredictedTable[],
  walked: readonly TablePage[],
  region: { start: bigint; end: bigint },
  granule: Granule,
  checkpoint: CheckpointName,
): Finding[] {
  const geometry = geometryOf(granule);
  const spanOf = ({ level }: PredictedTable) =>
    1n << BigInt(levelShift(geometry, level) + geometry.tableBits);
  const inRegion = (table: PredictedTable) =>
    table.attributes !== 0n && table.va >= region.start && table.va + spanOf(table) <= region.end;
  const key = (table: PredictedTable) => `${table.level} ${table.va}`;
  const differ = withoutEqual(predicted.filter(inRegion), walked.filter(inRegion));
  const expected = Map.groupBy(differ.predicted, key);
  const actual = Map.groupBy(differ.walked, key);
  const groups = new Map<string, string[]>();
  for (const place of new Set([...expected.keys(), ...actual.keys()])) {
    const left = [...(expected.get(place) ?? [])];
    const extra = (actual.get(place) ?? []).filter((table) => {
      const index = left.findIndex((candidate) => candidate.attributes === table.attributes);
      if (index >= 0) left.splice(index, 1);
      return index < 0;
    });
    for (let index = 0; index < Math.max(left.length, extra.length); index++) {
      const [want, have] = [left[index], extra[index]];
      const nature =
        want === undefined ? 'unexpected' : have === undefined ? 'missing' : 'attributes';
      const table = want ?? have;
      if (table === undefined) break;
      const line =
        `  ${hex(table.va)} level ${table.level}: expected ${want ? `descriptor bits ${hex(want.attributes)}` : 'no table'}, ` +
        `found ${have ? hex(have.attributes) : 'none'}`;
      groups.set(nature, [...(groups.get(nature) ?? []), line]);
    }
  }
  const titles: Record<string, string> = {
    unexpected: 'table pages that the model does not predict',
    missing: 'predicted table pages are absent',
    attributes: 'table descriptors carry other bits than predicted',
  };
  return [...groups].sort().map(([nature, lines]) => ({
    id: findingId('mismatch', ['tables', nature], checkpoint),
    kind: 'mismatch',
    checkpoint,
    title: `linear map: ${titles[nature]}`,
    detail: detailOf([
      `${countText(lines.length, 'table')} of the linear region:`,
      ...firstLines(lines),
    ]),
  }));
}

/**
 * What two lists of tables, each in order of address and then of level, do not have in common: of
 * the half million tables of a terabyte, most are equal and need no name.
 */
function withoutEqual(
  predicted: readonly PredictedTable[],
  walked: readonly TablePage[],
): { predicted: PredictedTable[]; walked: TablePage[] } {
  const differ = { predicted: [] as PredictedTable[], walked: [] as TablePage[] };
  let [p, w] = [0, 0];
  while (p < predicted.length || w < walked.length) {
    const [want, have] = [predicted[p], walked[w]];
    const order = want === undefined ? 1 : have === undefined ? -1 : compareOrder(want, have);
    if (order === 0 && want?.attributes === have?.attributes) {
      p++;
      w++;
      continue;
    }
    if (order <= 0 && want) differ.predicted.push(want);
    if (order >= 0 && have) differ.walked.push(have);
    if (order <= 0) p++;
    if (order >= 0) w++;
  }
  return differ;
}

function compareOrder(a: PredictedTable, b: PredictedTable): number {
  return a.va === b.va ? a.level - b.level : a.va < b.va ? -1 : 1;
}

/**
 * Compares the bounds of the linear region with the bounds that follow from TCR_EL1 and the Image.
 */
export function compareRegion(
  predicted: { start: bigint; end: bigint },
  actual: { start: bigint; end: bigint },
  checkpoint: CheckpointName,
): Finding[] {
  return (['start', 'end'] as const)
    .filter((border) => predicted[border] !== actual[border])
    .map((border) => ({
      id: findingId('mismatch', ['linear-region', border], checkpoint),
      kind: 'mismatch',
      checkpoint,
      title: `the ${border} of the linear region differs from the prediction`,
      detail: detailOf([
        `The model predicts ${hex(predicted[border])}, but it is ${hex(actual[border])}.`,
      ]),
    }));
}

/**
 * Compares every online CPU's registers with their prediction; one finding per register field that
 * differs. The TTBR1 of a CPU that runs user space under KPTI is not the kernel's root, so it is
 * left out.
 */
export function compareRegisters(
  predicted: Record<string, PredictedRegister>[],
  capture: Capture,
  image: ImageLayout,
): Finding[] {
  const findings = new Map<string, { title: string; lines: string[] }>();
  if (capture.registersPredicted) return [];
  for (const [cpu, { online, registers }] of capture.cpus.entries()) {
    for (const [register, { bits, mask, why }] of Object.entries(
      present(predicted[cpu], `prediction of the registers of CPU ${cpu}`),
    )) {
      if (!online || (register === 'TTBR1_EL1' && inTrampoline(image, registers))) continue;
      const value = registers[register as keyof SystemRegisters];
      const differences =
        value === undefined ? [undefined] : differingFields(register, bits, value, mask);
      for (const difference of differences) {
        const id = findingId(
          'mismatch',
          ['register', register, difference?.field ?? 'absent'],
          capture.checkpoint,
        );
        const entry = findings.get(id) ?? {
          title: registerTitle(register, difference?.field),
          lines: [`  why: ${why}`],
        };
        const seen = difference
          ? `${difference.field} is ${hex(difference.actual)}, expected ${hex(difference.expected)} (${hex(value ?? 0n)})`
          : `the register does not exist or was not read, expected ${hex(bits)}`;
        entry.lines.push(`  CPU ${cpu}: ${seen}`);
        findings.set(id, entry);
      }
    }
  }
  return [...findings].map(([id, { title, lines }]) => ({
    id,
    kind: 'mismatch',
    checkpoint: capture.checkpoint,
    title,
    detail: detailOf([`${title}:`, ...firstLines(lines)]),
  }));
}

function registerTitle(register: string, field: string | undefined): string {
  return field === undefined
    ? `${register} is absent`
    : `${register}.${field} differs from the prediction`;
}

/** Compares kernel variables; a predicted variable must have been captured. */
export function compareVariables(predicted: Record<string, bigint>, capture: Capture): Finding[] {
  return Object.entries(predicted).flatMap(([name, value]): Finding[] => {
    const actual = capture.variables[name];
    if (actual === value) return [];
    const nature = actual === undefined ? 'absent' : 'value';
    const seen = actual === undefined ? 'the kernel does not have it' : `it is ${actual}`;
    return [
      {
        id: findingId('mismatch', ['variable', name, nature], capture.checkpoint),
        kind: 'mismatch',
        checkpoint: capture.checkpoint,
        title: `${name} differs from the prediction`,
        detail: detailOf([`The model predicts ${name} = ${value}, but ${seen}.`]),
      },
    ];
  });
}

/**
 * Compares the probes' results with their predictions. A probe without a result is not blamed on
 * the kernel here: the judge checks whether the boot lasted long enough to send one.
 */
export function compareProbes(
  predicted: readonly ProbePrediction[],
  results: readonly ProbeResult[],
): Finding[] {
  return predicted.flatMap(({ probe, errno, device, why }): Finding[] => {
    const result = results.find((candidate) => candidate.probe === probe);
    if (result === undefined) return [];
    if (result.errno === errno) return errno === 0 && device ? compareData(device, result) : [];
    const nature = errno === 0 ? 'fails' : result.errno === 0 ? 'works' : 'errno';
    const seen =
      result.errno === 0 ? 'it worked' : `${result.call} failed with errno ${result.errno}`;
    const asked = errno === 0 ? 'success' : `errno ${errno}`;
    return [
      {
        id: findingId('mismatch', ['probe', slug(probe), nature]),
        kind: 'mismatch',
        title: `probe ${probe}: ${seen}, not ${asked}`,
        detail: detailOf([`The model predicts ${asked}, but ${seen}.`, `  why: ${why}`]),
      },
    ];
  });
}

/** What a guest receives from a device by DMA must be what the device delivered. */
function compareData(device: DeviceName, { data }: ProbeResult): Finding[] {
  if (isDelivered(device, data)) return [];
  return [
    {
      id: findingId('mismatch', ['probe', slug(device), 'data']),
      kind: 'mismatch',
      title: `${device}: what the device wrote by DMA is not what the guest reads`,
      detail: detailOf([
        `The guest reads ${/^[0-9a-f]{1,128}$/.exec(data ?? '')?.[0] ?? 'nothing that is data'}.`,
      ]),
    },
  ];
}

/** The first lines, and how many more there are. */
export function firstLines(lines: readonly string[], most = 8): string[] {
  return lines.length <= most
    ? [...lines]
    : [...lines.slice(0, most), `  … and ${lines.length - most} more`];
}
