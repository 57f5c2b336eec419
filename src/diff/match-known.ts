// SPDX-License-Identifier: GPL-2.0-only
import { byRelease } from '../linux/changes/index.ts';
import { lastBoolean, valuesOf } from '../linux/cmdline.ts';
import { atLeast, parseRelease, type Release, releaseOf } from '../linux/release.ts';
import type { Rodata, Scenario } from '../scenario/types.ts';
import type { Finding } from './types.ts';

/** A documented defect of real kernels: one file of results/known-issues. */
export interface KnownIssue {
  /** Name of the file without its ending. */
  id: string;
  title: string;
  /** Release ranges 'FROM..TO', both ends included; TO '7.3' includes every 7.3.x. */
  kernels: string[];
  /** Patterns of finding ids; '*' stands for any text without '/' and '@'. */
  match: string[];
  /** Conditions; an absent one is met. */
  when: {
    /** The case also has a finding of this pattern, of which the others are consequences. */
    finding?: string;
    world?: Scenario['machine']['world'];
    /** CPU identities of the machine. */
    cpu?: string[];
    rodata?: Scenario['rodata'][];
    /** Whether rodata=off is given, and a later rodata= that overrules it. */
    rodataOverruled?: boolean;
    /** Whether kfence.sample_interval= is given. */
    kfence?: 'set' | 'unset';
    /** Whether CPUs of different identities take part in the boot. */
    mixed?: boolean;
    /** Whether the machine has devices that do DMA. */
    devices?: boolean;
    /** Whether debug_pagealloc=on is given. */
    pagealloc?: boolean;
    /** Whether CPUs are isolated by isolcpus= or nohz_full=. */
    isolation?: boolean;
  };
  /** The cause, in one or two sentences that name the kernel's functions. */
  cause: string;
  /** Commits and threads, e.g. 'f12b435de2f2 ("arm64: …")' or an https address. */
  references: string[];
  /** The body of the file: how the defect shows, and how it was traced. */
  explanation: string;
}

/** The case that findings belong to. */
interface KnownCase {
  /** Kernel release as `uname -r` gives it. */
  release: string;
  scenario: Scenario;
}

/**
 * The findings of a case, each with the known issue that it matches: one of its patterns, on one of
 * its kernels, under its conditions; of several the first in the given order. On any other kernel a
 * finding is not known: a defect that comes back must be noticed.
 */
export function withKnown(
  findings: readonly Finding[],
  { release, scenario }: KnownCase,
  issues: readonly KnownIssue[],
): Finding[] {
  const parsed = releaseOf(release);
  // A kernel without a release is in no range.
  if (!parsed) return [...findings];
  const possible = issues.filter(
    (issue) =>
      issue.kernels.some((range) => inRange(parsed, range)) &&
      isBeside(findings, issue.when.finding) &&
      conditionsMet(issue.when, scenario, parsed),
  );
  return findings.map((finding) => {
    const id = asInBoot(finding.id);
    const known = possible.find(({ match }) =>
      match.some((pattern) => matchesPattern(id, pattern)),
    );
    return known === undefined ? finding : { ...finding, known: known.id };
  });
}

const isBeside = (findings: readonly Finding[], pattern: string | undefined): boolean =>
  pattern === undefined || findings.some(({ id }) => matchesPattern(asInBoot(id), pattern));

/** What a running kernel shows, a boot shows at its last checkpoint. */
const asInBoot = (id: string): string => id.replace(/@live$/, '@init');

/** CPUs of different identities take part in the boot. */
function isMixed({ machine }: Scenario): boolean {
  return machine.others !== undefined && !machine.late;
}

/**
 * The final value of rodata=, which may also be among the parameters, in the kernel's spelling: see
 * rodataParameter().
 */
function rodataOf({ rodata, parameters }: Scenario, release: Release): Rodata {
  const spelling: [string, Rodata][] = byRelease(release, 'rodata-on-is-full')
    ? [
        ['on', 'default'],
        ['noalias', 'noalias'],
        ['off', 'off'],
      ]
    : [
        ['full', 'default'],
        ['on', 'noalias'],
        ['off', 'off'],
      ];
  const known = new Map(spelling);
  const said = valuesOf(parameters, 'rodata').map((value) => known.get(value));
  return said.filter((value) => value !== undefined).at(-1) ?? rodata;
}

/**
 * rodata=off is one of several values and not the final one: the code that maps the kernel image
 * takes any of them (arch/arm64/kernel/pi/idreg-override.c), the rest of the kernel the last.
 */
function overrulesRodataOff(scenario: Scenario, release: Release): boolean {
  const values = valuesOf(scenario.parameters, 'rodata');
  const isGiven = scenario.rodata === 'off' || values.includes('off');
  return isGiven && rodataOf(scenario, release) !== 'off';
}

/**
 * housekeeping_isolcpus_setup() or housekeeping_nohz_full_setup() is called
 * (kernel/sched/isolation.c).
 */
function isolatesCpus({ parameters }: Scenario): boolean {
  return ['isolcpus', 'nohz_full'].some((name) => valuesOf(parameters, name).length > 0);
}

function matchesPattern(id: string, pattern: string): boolean {
  const source = pattern
    .split('*')
    .map((text) => text.replace(/[.+?^${}()|[\]\\]/g, '\\$&'))
    .join('[^/@]*');
  return new RegExp(`^${source}$`).test(id);
}

function inRange(release: Release, range: string): boolean {
  const [fromText = '', toText = ''] = range.split('..');
  const from = parseRelease(fromText);
  const to = parseRelease(toText);
  const patchGiven = /^\d+\.\d+\.\d+/.test(toText);
  const reached =
    atLeast(release, from.major, from.minor) &&
    (release.major > from.major || release.minor > from.minor || release.patch >= from.patch);
  if (!reached) return false;
  if (release.major !== to.major || release.minor !== to.minor)
    return !atLeast(release, to.major, to.minor);
  return !patchGiven || release.patch <= to.patch;
}

function conditionsMet(when: KnownIssue['when'], scenario: Scenario, release: Release): boolean {
  const { parameters } = scenario;
  const given =
    scenario.kfenceSampleInterval !== undefined ||
    valuesOf(parameters, 'kfence.sample_interval').length > 0;
  const kfence = given ? 'set' : 'unset';
  return (
    (when.world === undefined || when.world === scenario.machine.world) &&
    (when.cpu === undefined || when.cpu.includes(scenario.machine.cpu)) &&
    (when.rodata === undefined || when.rodata.includes(rodataOf(scenario, release))) &&
    (when.rodataOverruled === undefined ||
      when.rodataOverruled === overrulesRodataOff(scenario, release)) &&
    (when.kfence === undefined || when.kfence === kfence) &&
    (when.mixed === undefined || when.mixed === isMixed(scenario)) &&
    (when.devices === undefined || when.devices === (scenario.machine.devices !== undefined)) &&
    (when.pagealloc === undefined ||
      when.pagealloc === (lastBoolean(parameters, 'debug_pagealloc', release) ?? false)) &&
    (when.isolation === undefined || when.isolation === isolatesCpus(scenario))
  );
}
