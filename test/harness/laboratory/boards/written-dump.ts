// SPDX-License-Identifier: GPL-2.0-only
import { type WholeBoard, walkBoard } from '../../../../harness/laboratory/boards/whole-board.ts';
import { bootCpus, idRegistersOf } from '../../../../src/evidence/board-scenario.ts';
import { geometryOf } from '../../../../src/linux/geometry.ts';
import { linearRange } from '../../../../src/linux/kernel-layout.ts';
import { registersOfUnknown } from '../../../../src/model/live-registers.ts';
import type { Granule, LeafRun } from '../../../../src/vmsa/types.ts';
import { ptdumpAddress, ptdumpColumns } from '../../../linux/written-ptdump.ts';

/** A line of arch/arm64/mm/ptdump.c; the size is not read by anybody. */
const line = (start: bigint, end: bigint, rest: string): string =>
  `${ptdumpAddress(start)}-${ptdumpAddress(end)}           4K ${rest}`;

function leafLine({ va, size, level, attributes }: LeafRun): string {
  const name = ['PGD', 'PUD', 'PMD', 'PTE'][level];
  return line(va, va + BigInt(size), `${name} ${ptdumpColumns(attributes)}`);
}

/** What its kernel's dump would say of a board whose tables were read. */
export function writtenDump(board: WholeBoard): string {
  const { vmcoreinfo: info, root } = board;
  const pages = { granule: info.granule as Granule, vaBits: info.vaBits };
  const [idRegisters = {}] = idRegistersOf(bootCpus(board, info), board);
  const registers = registersOfUnknown(pages, idRegisters, { t1sz: info.t1sz, pa: root.pa });
  const { leaves } = walkBoard(board, registers);
  const { end } = linearRange(info.vaBits, geometryOf(pages.granule));
  let at = 2n ** 64n - 2n ** BigInt(64 - info.t1sz);
  const upTo = (va: bigint): string[] => {
    const hole = at < va ? [line(at, va, 'PTE')] : [];
    at = va;
    return hole;
  };
  const lines = (part: readonly LeafRun[]): string[] =>
    part.flatMap((leaf) => {
      const before = upTo(leaf.va);
      at = leaf.va + BigInt(leaf.size);
      return [...before, leafLine(leaf)];
    });
  return [
    '---[ Linear Mapping start ]---',
    ...lines(leaves.filter(({ va }) => va < end)),
    ...upTo(end),
    '---[ Linear Mapping end ]---',
    ...lines(leaves.filter(({ va }) => va >= end)),
    ...upTo(2n ** 64n),
    '',
  ].join('\n');
}
