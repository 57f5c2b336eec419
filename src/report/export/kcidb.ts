// SPDX-License-Identifier: GPL-2.0-only
import type { KnownIssue } from '../../diff/match-known.ts';
import type { CaseResult, Verdict } from '../../diff/types.ts';
import { depthOf } from '../../scenario/depth.ts';
import type { Machine, Scenario } from '../../scenario/types.ts';
import { stableJson } from '../../stable-json.ts';
import { plainLine, plainText } from '../plain-text.ts';
import type { KernelIdentity, RunRecord } from '../types.ts';
import { knownIds } from './finding-text.ts';
import { outlineOf, type RunResults } from './outline.ts';

/** Status of a build or test, in KCIDB's words. */
type Status = 'FAIL' | 'MISS' | 'PASS';

/**
 * MISS is KCIDB's word for a failure of the harness. A known issue is still a failure, and an
 * incident says which one.
 */
const statuses: Record<Verdict, Status> = {
  pass: 'PASS',
  known: 'FAIL',
  fail: 'FAIL',
  hang: 'FAIL',
  crash: 'FAIL',
  error: 'MISS',
};

/** The longest log excerpt that KCIDB's services keep. */
const excerptCharacters = 16_384;

/** Makes the ids of one origin's reports: 'origin:local'. */
type IdOf = (local: string) => string;

interface Context {
  origin: string;
  id: IdOf;
  run: RunRecord;
}

/** Whether a spec of a kernel from source applies patches to it. */
function isPatched(spec: string): boolean {
  return spec.includes(',patch=');
}

/** The source in words, where it is not a commit. */
function sourceText(spec: string, { version }: KernelIdentity): string {
  if (spec.startsWith('debian:')) return `Debian's source package linux ${version}`;
  return spec.startsWith('file:') ? `A local Image of release ${version}` : `Built from ${spec}`;
}

/** Where a kernel's source came from, as far as its spec shows. */
function checkoutId(id: IdOf, spec: string, kernel: KernelIdentity | undefined): string {
  if (kernel === undefined) return id(`unavailable/${spec}`);
  if (kernel.commit !== undefined && !isPatched(spec)) return id(`commit/${kernel.commit}`);
  return id(
    spec.startsWith('debian:') ? `debian/linux/${kernel.version}` : `image/${kernel.sha256}`,
  );
}

function buildId(id: IdOf, spec: string, kernel: KernelIdentity | undefined): string {
  return id(kernel === undefined ? `unavailable/${spec}` : `image/${kernel.sha256}`);
}

function checkoutOf({ origin, id, run }: Context, spec: string) {
  const kernel = run.kernels.find((each) => each.spec === spec);
  return {
    id: checkoutId(id, spec, kernel),
    origin,
    // A patchset's hash needs its files, which a run folder does not have.
    ...(kernel?.commit !== undefined && {
      git_commit_hash: kernel.commit,
      ...(!isPatched(spec) && { patchset_hash: '' }),
    }),
    comment: plainLine(
      kernel ? sourceText(spec, kernel) : `Kernel ${spec}, which could not be had`,
    ),
  };
}

function buildOf({ origin, id, run }: Context, spec: string) {
  const kernel = run.kernels.find((each) => each.spec === spec);
  const reason = run.unavailable.find((each) => each.spec === spec)?.reason;
  return {
    id: buildId(id, spec, kernel),
    checkout_id: checkoutId(id, spec, kernel),
    origin,
    architecture: 'arm64',
    status: kernel ? 'PASS' : ('MISS' as Status),
    ...(kernel && { comment: plainLine(kernel.release), misc: { ...kernel } }),
    ...(reason !== undefined && { comment: plainLine(reason) }),
  };
}

/**
 * Words of letters, digits, '_' and '-', separated by dots: the scenario's own name is in `misc`.
 */
function pathOf(scenario: string): string {
  return `ptdiff.${scenario.replaceAll(/[^A-Za-z0-9_-]/g, '_')}`;
}

function machineText({ cpu, cpus, others, memory, world, firmware }: Machine): string {
  const identities = [cpu, ...(others ?? [])].join(', ');
  const below = firmware === undefined ? '' : ` on ${firmware}`;
  return `virt machine, ${cpus} CPU (${identities}), ${memory} MiB, ${world} world${below}, TCG`;
}

function environmentOf(run: RunRecord, scenario: Scenario | undefined) {
  const { version, sha256 } = run.emulator;
  return {
    // The root node of the device tree of QEMU's virt machine (hw/arm/virt.c).
    compatible: ['linux,dummy-virt'],
    comment: plainLine(`QEMU ${version}${scenario ? `, ${machineText(scenario.machine)}` : ''}`),
    misc: { emulator: { version, sha256 }, host: run.host },
  };
}

function testId({ id, run }: Context, { case: name }: CaseResult): string {
  return id(`${run.started}/${name}`);
}

function testOf(context: Context, results: RunResults, result: CaseResult) {
  const { origin, id, run } = context;
  const { verdict, findings, reason, seconds, scenario: name, kernel } = result;
  const scenario = run.scenarios.find((each) => each.name === name);
  const built = run.kernels.find((each) => each.spec === kernel.spec);
  const tail = plainText(results.dossiers.get(result.case)?.consoleTail ?? '').trimEnd();
  const comment =
    reason ?? findings.find(({ known }) => known === undefined)?.title ?? findings[0]?.title;
  return {
    id: testId(context, result),
    build_id: buildId(id, kernel.spec, built),
    origin,
    path: pathOf(name),
    status: statuses[verdict],
    duration: seconds,
    environment: environmentOf(run, scenario),
    ...(comment !== undefined && { comment: plainLine(comment) }),
    ...(verdict !== 'pass' && tail !== '' && { log_excerpt: tail.slice(-excerptCharacters) }),
    misc: {
      case: result.case,
      depth: depthOf(result),
      verdict,
      ...(scenario && { scenario }),
      findings: findings.map((finding) => ({
        id: finding.id,
        title: plainLine(finding.title),
        known: finding.known,
      })),
      ptdiff: run.ptdiff,
    },
  };
}

/** A known issue has no numbered versions: all exports refer to version 1. */
const issueVersion = 1;

function issueOf({ origin, id }: Context, known: string, issue: KnownIssue | undefined) {
  const address = issue?.references.find((reference) => /^https:\/\/\S+$/.test(reference));
  return {
    id: id(`known-issue/${known}`),
    version: issueVersion,
    origin,
    culprit: { code: true, tool: false, harness: false },
    ...(issue && {
      report_subject: issue.title,
      comment: issue.cause,
      misc: { kernels: issue.kernels, references: issue.references },
    }),
    ...(address !== undefined && { report_url: address }),
  };
}

function incidentOf(context: Context, result: CaseResult, known: string) {
  const { origin, id, run } = context;
  return {
    id: id(`${run.started}/${result.case}/${known}`),
    origin,
    issue_id: id(`known-issue/${known}`),
    issue_version: issueVersion,
    test_id: testId(context, result),
    present: true,
    misc: {
      findings: result.findings
        .filter((finding) => finding.known === known)
        .map((finding) => finding.id),
    },
  };
}

/** The first object with each id. */
function unique<T extends { id: string }>(objects: readonly T[]): T[] {
  return objects.filter(({ id }, index) => objects.findIndex((each) => each.id === id) === index);
}

/**
 * A run as a report of KCIDB's schema 5.3 (kernelci/kcidb-io): one checkout and one build per
 * kernel, one test per case, and one issue per known issue, with an incident wherever it shows. Ids
 * depend on the run alone: exporting it twice gives the same report. Cases that were not run are
 * left out. Ends with a newline.
 *
 * @param origin name of the reporting system: lower-case letters, digits and '_'
 */
export function formatKcidb(results: RunResults, { origin }: { origin: string }): string {
  const { run, cases, knownIssues } = results;
  const context: Context = {
    origin,
    id: (local) => `${origin}:${local.replaceAll('%', '%25').replaceAll('\0', '%00')}`,
    run,
  };
  const specs = [
    ...new Set(
      outlineOf(results).flatMap((kernel) =>
        kernel.cases.some(({ result }) => result) ? kernel.spec : [],
      ),
    ),
  ];
  const incidents = cases.flatMap((result) =>
    knownIds(result.findings).map((known) => ({ result, known })),
  );
  const issues = [...new Set(incidents.map(({ known }) => known))].sort();
  const report = {
    version: { major: 5, minor: 3 },
    checkouts: unique(specs.map((spec) => checkoutOf(context, spec))),
    builds: unique(specs.map((spec) => buildOf(context, spec))),
    tests: cases.map((result) => testOf(context, results, result)),
    issues: issues.map((known) =>
      issueOf(
        context,
        known,
        knownIssues.find(({ id }) => id === known),
      ),
    ),
    incidents: incidents.map(({ result, known }) => incidentOf(context, result, known)),
  };
  return `${stableJson(report, 1)}\n`;
}
