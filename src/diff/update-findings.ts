// SPDX-License-Identifier: GPL-2.0-only
import type { UpdateSite } from '../bbm/check-updates.ts';
import { type BbmLevel, type Reason, staysInTlb } from '../bbm/needs-break.ts';
import type { Missing } from '../bbm/tables.ts';
import type { Capture } from '../evidence/capture.ts';
import { split } from '../vmsa/descriptor-layout.ts';
import { type Stage1Regime, stage1Regime } from '../vmsa/regime.ts';
import { describeDescriptor } from './describe-descriptor.ts';
import { findingId, slug } from './finding-id.ts';
import { countText, detailOf, hex, secondsText } from './text.ts';
import type { Finding } from './types.ts';

/** What of a boot's recording is judged. */
export interface RecordedUpdates {
  sites: readonly UpdateSite[];
  /** The level of FEAT_BBM that each CPU is judged by: bbmLevels(). */
  levels: readonly BbmLevel[];
}

/** What a reason is called in an id, and which section of DDI 0487 asks for the break. */
const reasons: Record<Reason, { word: string; section: string }> = {
  'a block or page becomes a table, or a table a block': { word: 'size', section: 'D8.16.1' },
  'another table': { word: 'table', section: 'D8.16.1' },
  'the contiguous bit changes': { word: 'contiguous-bit', section: 'D8.7.1, D8.16.1' },
  'another output address': { word: 'output-address', section: 'D8.16.1' },
  'another memory type': { word: 'memory-type', section: 'D8.16.1' },
  'another shareability': { word: 'shareability', section: 'D8.16.1' },
  'it becomes global': { word: 'global', section: 'D8.16.1' },
  'a freed table becomes another one': { word: 'table-reuse', section: 'D8.17' },
  'what it made invalid stays in the TLB': { word: 'left-in-tlb', section: 'D8.17' },
};

/** The same of what is missing. */
const lacks: Record<Missing, { word: string; section: string }> = {
  'a DSB between the break and the TLBI': { word: 'no-dsb-before-tlbi', section: 'D8.17' },
  'a TLBI': { word: 'no-tlbi', section: 'D8.17' },
  'a DSB after the TLBI': { word: 'no-dsb-after-tlbi', section: 'D8.17' },
  'a TLBI after the first DSB': { word: 'tlbi-too-early', section: 'D8.17' },
  'a TLBI whose hint is right': { word: 'tlbi-of-wrong-hint', section: 'C5.5, TTL' },
  'a TLBI that reaches all CPUs': { word: 'tlbi-of-one-cpu', section: 'D8.17' },
  'a TLBI of every ASID': { word: 'tlbi-of-one-asid', section: 'D8.17' },
  'a TLBI of walk caches, too': { word: 'tlbi-of-last-level', section: 'D8.17' },
};

/**
 * The function that a site belongs to, without what the compiler made of its name: offsets and
 * clones differ between builds. Code outside the Image has no name; then it is the innermost
 * recorded function.
 */
export function functionOf({ site, chain }: UpdateSite): string {
  const [name = ''] = site.split(/[+.]/);
  return /^0x|^\?/.test(name) ? (chain[0] ?? 'unnamed') : name;
}

function idOf(each: UpdateSite): string {
  const missing = each.missing === undefined ? 'not-broken' : lacks[each.missing].word;
  return findingId('update', [reasons[each.reason].word, slug(functionOf(each)), missing]);
}

/** What is wrong with the changes of a site, as a clause. */
export function faultOf({ reason, missing }: Pick<UpdateSite, 'reason' | 'missing'>): string {
  if (reason === staysInTlb.reason) return `${reason}: ${missing} is missing`;
  return missing === undefined
    ? `${reason}, while the entry was valid`
    : `${reason}, after a break that lacks ${missing}`;
}

/**
 * Changes of tables that the CPUs of the boot do not allow, by what they claim: one finding for all
 * that a function does in one way.
 * @param captures their registers tell how descriptors are read
 * @param trusted whether the kernel, by the model, changes sizes without a break on these CPUs
 */
export function updateFindings(
  { sites, levels }: RecordedUpdates,
  captures: readonly Pick<Capture, 'cpus'>[],
  trusted: boolean,
): Finding[] {
  const forbidden = sites.filter(({ claimed }) => claimed > 0);
  const registers = captures.at(-1)?.cpus[0]?.registers;
  const claims = `The CPUs have FEAT_BBM level ${[...new Set(levels)].join(' and ')} (ID_AA64MMFR2_EL1.BBM, or their part). The kernel ${trusted ? 'trusts' : 'does not trust'} them with changes of size (system_supports_bbml2_noabort() or _bbml3()).`;
  return [...Map.groupBy(forbidden, idOf)].flatMap(([id, [first, ...others]]) => {
    if (first === undefined) return [];
    const { title, rule } = wordsOf(first, claims);
    return [
      {
        id,
        kind: 'update' as const,
        title,
        detail: detailOf([
          rule,
          ...[first, ...others].flatMap((site) => siteLines(site, registers)),
        ]),
      },
    ];
  });
}

/** Title of a finding, and the rule that is broken. */
function wordsOf(site: UpdateSite, claims: string): { title: string; rule: string } {
  const name = functionOf(site);
  const { missing, reason } = site;
  const lack = missing && lacks[missing];
  const here =
    missing === undefined ? 'it was not made invalid at all' : `this is missing: ${missing}`;
  if (reason === staysInTlb.reason)
    return {
      title: `${name}() lets go of what it made invalid while a TLB may hold it: ${missing} is missing`,
      rule: `After an entry was made invalid come a DSB, a TLBI that covers it and a DSB (DDI 0487 ${lack?.section}); until then, CPUs may go on using the memory. ${name}() must invalidate what it, or what it calls, makes invalid before it lets go of it. Here ${here}.`,
    };
  const section = lack === undefined ? '' : ` and ${lack.section}`;
  return {
    title: `${name}() changes an entry that a TLB may hold: ${faultOf(site)}`,
    rule: `${reason}: an entry is first made invalid, then come a DSB, a TLBI that covers it and a DSB, and only then it is made again (DDI 0487 ${reasons[reason].section}${section}). Here ${here}. ${claims}`,
  };
}

function siteLines(
  { site, chain, claimed, example }: UpdateSite,
  registers: Capture['cpus'][number]['registers'] | undefined,
): string[] {
  const { va, level, old, new: now, cpu, time } = example;
  const half = va >> 63n === 1n ? 'ttbr1' : 'ttbr0';
  const regime = registers && stage1Regime(registers, half);
  return [
    `${countText(claimed, 'time')} at ${site}${chain.length > 0 ? `, in ${chain.join(' <- ')}` : ''}; the first one at ${secondsText(time)} on CPU ${cpu}, level ${level}, ${hex(va)}:`,
    `    from ${descriptorText(regime, level, old)}`,
    `    to ${descriptorText(regime, level, now)}`,
  ];
}

function descriptorText(
  regime: Stage1Regime | undefined,
  level: number,
  descriptor: bigint,
): string {
  const { low, high } = split(descriptor);
  const words = regime && describeDescriptor(regime, level, low, high);
  return words === undefined || words === hex(descriptor)
    ? hex(descriptor)
    : `${hex(descriptor)}: ${words}`;
}
