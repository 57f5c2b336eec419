// SPDX-License-Identifier: GPL-2.0-only
import { endOf } from '../diff/runs.ts';
import type { CheckpointName, Evidence } from '../evidence/capture.ts';
import type { Granule, LeafRun } from '../vmsa/types.ts';
import type { ComparedCase } from './types.ts';

/**
 * A place is a position in bytes along the linear map: the physical address that a virtual address
 * of the linear region should map. The same memory has the same place whatever the width of virtual
 * addresses, and a place is aligned like the virtual address.
 */
export interface Range {
  start: number;
  end: number;
}

/** A part of memory that the kernel maps by separate rules. */
export interface Area extends Range {
  name: string;
}

/** Name of the memory that is in no other part. */
export const MEMORY = 'memory';

/** A run of leaves with its place. */
export interface PlacedRun extends Range {
  run: LeafRun;
}

/** One side of one checkpoint, ready for comparison. */
export interface PlacedMap {
  runs: PlacedRun[];
  /** Text, init, data, KFENCE and the rest: ascending, without overlap, joined. */
  areas: Area[];
  /**
   * Where the kernel was asked to change or to split single pages: inputs of the boot, which no
   * rule of the map determines.
   */
  touched: Range[];
}

/**
 * The value to subtract from a virtual address of the linear region to get its place; undefined for
 * an empty map.
 */
export function placeOffset({ prediction, evidence }: ComparedCase): bigint | undefined {
  const first =
    prediction?.checkpoints.paging_init?.leaves[0] ?? evidence?.captures[0]?.ttbr1.leaves[0];
  return first && first.va - BigInt(first.pa);
}

/** Runs of the linear region with their places. */
function placeRuns<R extends LeafRun>(runs: readonly R[], offset: bigint): (Range & { run: R })[] {
  return runs.map((run) => ({
    run,
    start: Number(run.va - offset),
    end: Number(endOf(run) - offset),
  }));
}

/** The parts of memory that the boot and the probes change page by page. */
const dynamicAreas = new Set(['alias of read-only vmalloc', 'memfd_secret page']);

function areaName(why: string): string {
  if (why.startsWith('KFENCE')) return 'KFENCE pool';
  return dynamicAreas.has(why) ? MEMORY : why;
}

/** Appends a range; joins it with the last one if it continues that one under the same name. */
function append(areas: Area[], area: Area): void {
  const last = areas.at(-1);
  if (last?.end === area.start && last.name === area.name) last.end = area.end;
  else areas.push({ ...area });
}

/** Requests to the kernel for single pages up to a checkpoint. */
function requests(
  evidence: Evidence,
  offset: bigint,
  granule: Granule,
  checkpoint: CheckpointName,
): Range[] {
  const reached = evidence.captures.findIndex((capture) => capture.checkpoint === checkpoint);
  const before = new Set(
    evidence.captures.slice(0, reached + 1).map((capture) => capture.checkpoint),
  );
  const place = (va: bigint): number => Number(va - offset);
  return [
    ...evidence.splitRequests
      .filter((request) => before.has(request.before))
      .flatMap(({ start, end }) =>
        [start, end].map((va) => ({ start: place(va), end: place(va) })),
      ),
    ...(evidence.protectRequests ?? [])
      .filter((request) => before.has(request.before))
      .flatMap(({ frames }) => frames),
    // Only the guest knows which pages its probes touched, whatever the model expected.
    ...(checkpoint === 'init' ? evidence.probes : []).flatMap(({ pages }) =>
      pages.map((page) => ({ start: page, end: page + granule })),
    ),
    ...(evidence.sharing ?? [])
      .filter((request) => before.has(request.before))
      .map(({ start, pages }) => ({ start: place(start), end: place(start) + pages * granule })),
  ];
}

/** Assigns places to one checkpoint of a case. `runs` are the leaves found in the linear region. */
export function placeMap(
  each: ComparedCase,
  checkpoint: CheckpointName,
  { runs, offset, granule }: { runs: readonly LeafRun[]; offset: bigint; granule: Granule },
): PlacedMap {
  const predicted = placeRuns(each.prediction?.checkpoints[checkpoint]?.leaves ?? [], offset);
  const areas: Area[] = [];
  for (const { run, start, end } of predicted)
    append(areas, { start, end, name: areaName(run.why) });
  const placed = placeRuns(runs, offset);
  return {
    runs: placed,
    areas:
      areas.length > 0 ? areas : placed.map(({ start, end }) => ({ start, end, name: MEMORY })),
    touched: [
      ...predicted.filter(({ run }) => dynamicAreas.has(run.why)),
      ...placed.filter(({ run, start }) => run.pa !== start),
      ...(each.evidence ? requests(each.evidence, offset, granule, checkpoint) : []),
    ].map(({ start, end }) => ({ start, end })),
  };
}
