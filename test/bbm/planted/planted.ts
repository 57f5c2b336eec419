// SPDX-License-Identifier: GPL-2.0-only
import { checkUpdates, type UpdateSite } from '../../../src/bbm/check-updates.ts';
import type { Reason } from '../../../src/bbm/needs-break.ts';
import { functionOf } from '../../../src/diff/update-findings.ts';
import type { Recording } from '../../../src/evidence/capture.ts';
import type { Depth } from '../../../src/scenario/depth.ts';
import { call, clear, clearAt, dsbIsh, dsbIshst, type LeftOut, tlbi, tlbiVaae1 } from './code.ts';

/** A defect that a patch of this folder plants in linux-source-7.3, and what must be said of it. */
export interface Planted {
  /** Name of the patch, without its suffix. */
  patch: string;
  scenario: string;
  depth: Depth;
  /** Level of FEAT_BBM at which the recording is judged. */
  level: 0 | 2;
  /** The function of the instruction, or one of the functions that it belongs to. */
  in: string;
  reason: Reason;
  /** The like in the machine code of a stock kernel, without a build. */
  code?: LeftOut;
  /** Set where a small kernel does not run it: there is no patch. */
  stockOnly?: true;
  /** What is missing, of which it may be any; undefined where the entry was not broken at all. */
  missing: UpdateSite['missing'][];
}

const address = 'another output address';
const stays = 'what it made invalid stays in the TLB';
const noTlbi = 'a TLBI';
const noDsbAfter = 'a DSB after the TLBI';
const noDsbBefore = 'a DSB between the break and the TLBI';
const tooEarly = 'a TLBI after the first DSB';

/** __set_fixmap() of arch/arm64/mm/fixmap.c, which makes a slot of the fixmap free again. */
const fixmap = (patch: string, ...missing: Planted['missing']): Planted => ({
  patch: `fixmap-${patch}`,
  ...{ scenario: 'max', depth: 'early', level: 2, in: '__set_fixmap', reason: address, missing },
});

/**
 * __set_memory_enc_dec() and __change_memory_common() of arch/arm64/mm/pageattr.c: what a realm
 * shares has another address.
 */
const shared = (patch: string, ...missing: Planted['missing']): Planted => ({
  patch: `pageattr-${patch}`,
  ...{ scenario: 'realm+max', depth: 'early', level: 2, reason: address, missing },
  in: 'realm_set_memory_decrypted',
});

/** secretmem_fault() of mm/secretmem.c: the page is still in a TLB when user space gets it. */
const secret = (patch: string, ...missing: Planted['missing']): Planted => ({
  patch: `secretmem-${patch}`,
  ...{ scenario: 'max', depth: 'full', level: 2, in: secretFault, missing },
  reason: stays,
});

/** contpte_convert() of arch/arm64/mm/contpte.c, for CPUs that the kernel does not trust. */
const contpte = (patch: string, ...missing: Planted['missing']): Planted => ({
  patch: `contpte-${patch}`,
  ...{ scenario: 'max', depth: 'full', level: 0, in: 'contpte_convert', missing },
  reason: 'the contiguous bit changes',
});

/** kpti_map_pgtbl of arch/arm64/mm/proc.S; a stock kernel's TLBI has a wrong hint. */
const kpti = (patch: string, ...missing: Planted['missing']): Planted => ({
  patch: `kpti-${patch}`,
  ...{ scenario: 'max+kpti', depth: 'early', level: 2, in: ngMappings, reason: address, missing },
});

const setFixmap = '__set_fixmap';
const secretFault = 'secretmem_fault';
const ngMappings = 'idmap_kpti_install_ng_mappings';
/** The compiler inlines it where it is small. */
const flush = 'flush_tlb_kernel_range';

/** Whatever the kernel does in between may be a barrier, so that one that is left out may be late. */
export const planted: Planted[] = [
  { ...fixmap('without-break', undefined), code: { function: setFixmap, what: clear } },
  {
    ...fixmap('without-tlbi', noTlbi, noDsbBefore, tooEarly),
    code: { function: setFixmap, what: tlbi },
  },
  fixmap('tlbi-before-break', noTlbi, noDsbBefore, tooEarly),
  fixmap('tlbi-of-next-page', noTlbi),
  {
    ...fixmap('without-dsb-before', noTlbi, noDsbBefore, tooEarly),
    code: { function: setFixmap, what: dsbIshst, behind: clear },
  },
  {
    ...fixmap('without-dsb-after', noDsbAfter),
    code: { function: setFixmap, what: dsbIsh },
  },
  {
    ...fixmap('local-tlbi', 'a TLBI that reaches all CPUs'),
    ...{ scenario: 'neoverse-v3-r0p2+smp2', depth: 'full' },
  },
  shared('share-without-break', undefined),
  {
    ...shared('without-tlbi', noTlbi, noDsbBefore, tooEarly),
    code: { function: flush, what: tlbi },
  },
  shared('tlbi-before-break', noTlbi, noDsbBefore, tooEarly),
  {
    ...shared('without-dsb-after', noDsbAfter),
    code: { function: flush, what: dsbIsh },
  },
  {
    // map_kernel() of arch/arm64/kernel/pi/map_kernel.c. A stock kernel lacks the DSB after it.
    ...{ patch: 'map-kernel-without-tlbi', scenario: 'max', depth: 'early', level: 0 },
    ...{ in: '__pi_map_range', reason: 'the contiguous bit changes', missing: [noTlbi] },
    code: { function: '__pi_early_map_kernel', what: tlbi },
  },
  {
    // force_pte_mapping() of arch/arm64/mm/mmu.c: blocks, and so live splits, on a CPU of level 0.
    ...{ patch: 'mmu-blocks-on-any-cpu', scenario: 'monitor+max-bbm0', depth: 'early', level: 0 },
    ...{ in: 'linear_map_split_to_ptes', missing: [undefined] },
    reason: 'a block or page becomes a table, or a table a block',
  },
  {
    // __purge_vmap_area_lazy() of mm/vmalloc.c: addresses are used again.
    ...{ patch: 'vmalloc-purge-without-tlbi', scenario: 'max', depth: 'full', level: 2 },
    ...{
      in: '__vmap_pages_range_noflush',
      reason: address,
      missing: [noTlbi, noDsbBefore, tooEarly],
    },
    code: { function: flush, what: tlbi },
  },
  {
    // vm_reset_perms() of mm/vmalloc.c: the memory of a module is freed while it may be executable.
    ...{ patch: 'vmalloc-reset-without-tlbi', scenario: 'max+devices', depth: 'full', level: 2 },
    ...{ in: 'vfree', reason: stays, missing: [noTlbi, noDsbBefore, tooEarly] },
    ...{ code: { function: 'vfree', what: call, to: '_vm_unmap_aliases' }, stockOnly: true },
  },
  {
    ...secret('without-tlbi', noTlbi, noDsbBefore, tooEarly),
    code: { function: secretFault, what: tlbi },
  },
  secret('tlbi-before-break', noTlbi, noDsbBefore, tooEarly),
  {
    ...secret('without-dsb-after', noDsbAfter),
    code: { function: secretFault, what: dsbIsh },
  },
  {
    ...contpte('without-tlbi', noTlbi, noDsbBefore, tooEarly),
    code: { function: 'contpte_convert', what: call, first: true },
  },
  contpte('without-break', undefined),
  {
    // ptep_clear_flush() of mm/pgtable-generic.c: a page is copied since somebody writes to it.
    ...{ patch: 'cow-without-tlbi', scenario: 'max', depth: 'full', level: 2 },
    ...{ in: 'ptep_clear_flush', reason: stays, missing: [noTlbi, noDsbBefore, tooEarly] },
    code: { function: 'ptep_clear_flush', what: tlbi },
  },
  {
    ...kpti('without-break', undefined),
    code: { function: ngMappings, what: clearAt },
  },
  {
    ...kpti('without-tlbi', noTlbi, noDsbBefore, tooEarly),
    code: { function: ngMappings, what: tlbiVaae1 },
  },
];

/** Those whose patch contains one of some words; without words, all. */
export const chosenBy = (words: readonly string[]): Planted[] =>
  planted.filter(({ patch }) => words.length === 0 || words.some((word) => patch.includes(word)));

/** Whether a site is the one that a defect must be named at. */
export function isNamed(each: Planted): (site: UpdateSite) => boolean {
  return (site) =>
    [functionOf(site), ...site.chain].includes(each.in) &&
    site.reason === each.reason &&
    each.missing.includes(site.missing);
}

/** The sites of a recording that a level of FEAT_BBM does not allow. */
export function sitesAt(recording: Recording, level: Planted['level']): UpdateSite[] {
  return checkUpdates(recording, new Array(8).fill(level)).filter(({ counts }) => counts[level]);
}

/** A site as a line, for messages. */
export function siteText({ site, chain, reason, missing, counts }: UpdateSite): string {
  return `${counts[0]} x ${[site, ...chain].join(' <- ')}: ${reason}, ${missing ?? 'live'}`;
}
