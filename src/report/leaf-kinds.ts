import type { LinearMapSizes } from '../diff/types.ts';
import { geometryOf } from '../linux/geometry.ts';
import type { Granule, LeafRun, SystemRegisters } from '../vmsa/types.ts';
import { formatBytes } from './units.ts';

/** Kinds of leaves by what Linux calls them, smallest first. */
export const leafKinds = ['page', 'contPte', 'pmd', 'contPmd', 'pud'] as const;
export type LeafKind = (typeof leafKinds)[number];

/** The columns of a composition table, in order. */
export const compositionKinds = [...leafKinds, 'invalid'] as const satisfies (keyof LinearMapSizes)[];

/** How the kernel itself may use a leaf; Linux never makes the linear map executable, so that is a finding and no shade. */
export type Access = 'rw' | 'ro' | 'invalid';

/** Linux's name for a leaf of this level; larger blocks than 'pud' exist only where Linux does not use them. */
export function leafKind(run: Pick<LeafRun, 'level' | 'contiguous'>): LeafKind {
  if (run.level === 3) return run.contiguous ? 'contPte' : 'page';
  if (run.level === 2) return run.contiguous ? 'contPmd' : 'pmd';
  return 'pud';
}

/** Bytes that one leaf of this kind, or one contiguous group, translates. */
export function kindSize(granule: Granule, kind: LeafKind): number {
  const geometry = geometryOf(granule);
  const sizes: Record<LeafKind, number> = {
    page: granule,
    contPte: geometry.CONT_PTE_SIZE,
    pmd: geometry.PMD_SIZE,
    contPmd: geometry.CONT_PMD_SIZE,
    pud: geometry.PUD_SIZE,
  };
  return sizes[kind];
}

/** A kind with its size, e.g. 'contPte 64K', as maintainers say it. */
export function kindLabel(granule: Granule, kind: LeafKind): string {
  return `${kind} ${formatBytes(kindSize(granule, kind)).replace(/ (.)i?B$/, '$1')}`;
}

const bit = (value: bigint, position: number): number => Number((value >> BigInt(position)) & 1n);

/** TCR2_EL1.PIE (DDI 0487 D24.2.193). */
function permissionIndirection(registers: SystemRegisters | undefined): boolean {
  return registers?.TCR2_EL1 !== undefined && bit(registers.TCR2_EL1, 1) === 1;
}

// Values of PIR_EL1.Perm<m> that let EL1 write (DDI 0487 D8.4.1.1, stage 1 indirect base permissions).
const writable = new Set([0x5, 0x6, 0x7, 0xc, 0xe]);

/**
 * What a leaf lets the kernel do. Directly encoded, AP[2] forbids writing; with permission indirection bits 54, 53, 51 and 6
 * of the descriptor select a field of PIR_EL1.
 */
export function accessOf(run: Pick<LeafRun, 'valid' | 'attributes'>, registers?: SystemRegisters): Access {
  if (!run.valid) return 'invalid';
  const { attributes } = run;
  if (!permissionIndirection(registers)) return bit(attributes, 7) === 1 ? 'ro' : 'rw';
  const index =
    (bit(attributes, 54) << 3) | (bit(attributes, 53) << 2) | (bit(attributes, 51) << 1) | bit(attributes, 6);
  const permission = Number(((registers?.PIR_EL1 ?? 0n) >> BigInt(index * 4)) & 0xfn);
  return writable.has(permission) ? 'rw' : 'ro';
}

/** Bytes by leaf kind, leaves that are not valid apart: the row of a composition table. */
export function compose(runs: readonly LeafRun[]): LinearMapSizes {
  const sizes: LinearMapSizes = { page: 0, contPte: 0, pmd: 0, contPmd: 0, pud: 0, invalid: 0 };
  for (const run of runs) sizes[run.valid ? leafKind(run) : 'invalid'] += run.size;
  return sizes;
}
