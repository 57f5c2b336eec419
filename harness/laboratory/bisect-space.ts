// SPDX-License-Identifier: GPL-2.0-only
import { resolve } from 'node:path';
import { say } from '../../host/say.ts';
import { compareVersions } from '../../images/debian/version.ts';
import {
  type DebianSpec,
  formatKernelSpec,
  parseKernelSpec,
  type SourceSpec,
} from '../../images/kernel-spec.ts';
import { exactSpec, listKernels } from '../../images/kernels.ts';
import { GitHistory, resolveCommit } from '../../images/source/git-history.ts';
import { narrowLine } from '../../src/bisect/line.ts';
import type { Answer, Answers, Narrowed, Task } from '../../src/bisect/types.ts';
import { PtdiffError } from '../../src/errors.ts';
import type { BisectState } from './bisect-state.ts';

/** A candidate as text for a reader. */
interface CandidateInfo {
  /** For a progress line: a version, or a commit as 12 hex digits and ("subject"). */
  name: string;
  /** For the final report: the package's suite, or author and date. */
  about: string[];
}

/** What is bisected: Debian versions, or the commits of a repository. */
export interface Space {
  /** The ends as candidates. */
  good: string;
  bad: string;
  /** Whether the good end is the newer one: then the sign disappeared between the ends. */
  goodIsNewer: boolean;
  /** Candidates that may be the first on the new side while only the ends are known. */
  suspects: number;
  /** The part that the state file keeps. */
  line?: BisectState['line'];
  narrow(task: Task, answers: Answers): Promise<Narrowed>;
  /** The spec of a candidate's kernel. */
  specOf(candidate: string): string;
  describe(candidate: string): Promise<CandidateInfo>;
}

/** Two Debian versions, as specs that mean exactly these. */
interface VersionRange {
  good: string;
  bad: string;
}

const versionOf = (spec: string): string => (parseKernelSpec(spec) as DebianSpec).version;

/** The versions between two ends, including both, as the archive lists them, oldest first. */
async function debianLine({ good, bad }: VersionRange): Promise<NonNullable<BisectState['line']>> {
  const { flavour } = parseKernelSpec(good) as DebianSpec;
  const [left, right] = [versionOf(good), versionOf(bad)];
  const [oldest, newest] = compareVersions(left, right) > 0 ? [right, left] : [left, right];
  const isBetween = (version: string) =>
    compareVersions(version, oldest) >= 0 && compareVersions(version, newest) <= 0;
  const listed = (await listKernels({ progress: say })).filter(
    (kernel) => kernel.flavour === flavour && isBetween(versionOf(kernel.spec)),
  );
  // Several builds of one version have the same spec; the newest one, which is listed first,
  // represents them.
  const kernels = new Map(
    listed.reverse().map(({ spec, version, suite }) => [spec, { spec, version, suite }]),
  );
  return [...kernels.values()].sort((a, b) =>
    compareVersions(versionOf(a.spec), versionOf(b.spec)),
  );
}

/**
 * Debian's versions between two ends.
 * @param kept the list from an earlier part of the same bisection: the archive may have changed
 */
async function debianSpace(range: VersionRange, kept: BisectState['line']): Promise<Space> {
  const { good, bad } = range;
  const line = kept ?? (await debianLine(range));
  const candidates = line.map(({ spec }) => spec);
  return {
    good,
    bad,
    goodIsNewer: candidates.indexOf(good) > candidates.indexOf(bad),
    suspects: candidates.length - 1,
    line,
    narrow: async (task, answers) => narrowLine(candidates, task, answers),
    specOf: (candidate) => candidate,
    describe: async (candidate) => {
      const found = line.find(({ spec }) => spec === candidate);
      return {
        name: candidate,
        about: found ? [`Debian package version ${found.version} (${found.suite})`] : [],
      };
    },
  };
}

/** Two commits of a repository. */
interface CommitRange {
  repository: string;
  good: string;
  bad: string;
  specOf(commit: string): string;
}

/** The commits between two ends; git bisect narrows them down in a repository of our own. */
async function gitSpace(
  { repository, good, bad, specOf }: CommitRange,
  own: string,
): Promise<Space> {
  const history = await GitHistory.open(repository, own);
  if (good === bad)
    throw new PtdiffError(
      'usage',
      `The good and the bad end are the same commit, ${good.slice(0, 12)}.`,
    );
  const goodIsNewer = await history.isAncestor(bad, good);
  const [oldest, newest] = goodIsNewer ? [bad, good] : [good, bad];
  return {
    good,
    bad,
    goodIsNewer,
    suspects: await history.suspects(newest, [oldest]),
    narrow: (task, answers) => {
      const newAnswer = task.signSide === 'new' ? 'present' : 'absent';
      const those = (wanted: (answer: Answer) => boolean) =>
        [...answers].filter(([, answer]) => wanted(answer)).map(([commit]) => commit);
      return history.narrow({
        new: those((answer) => answer === newAnswer),
        old: those((answer) => answer !== newAnswer && answer !== 'skip'),
        skipped: those((answer) => answer === 'skip'),
      });
    },
    specOf,
    describe: async (commit) => {
      const { subject, author, date } = await history.describe(commit);
      const name = `${commit.slice(0, 12)} ("${subject}")`;
      return { name, about: [`commit ${commit}`, `Author: ${author}`, `Date:   ${date}`] };
    },
  };
}

/** The range of a bisection, as named by the user. */
export type Range = ({ kind: 'debian' } & VersionRange) | ({ kind: 'git' } & CommitRange);

/**
 * @param kept the list from an earlier part of the same bisection
 * @param own folder for a repository of our own
 */
export function spaceOf(range: Range, kept: BisectState['line'], own: string): Promise<Space> {
  return range.kind === 'git' ? gitSpace(range, own) : debianSpace(range, kept);
}

/** An end in a git history: a spec `git:PATH@REV…` or, with `repository`, a revision of it. */
function gitEnd(
  text: string,
  repository: string | undefined,
): (SourceSpec & { kind: 'git' }) | undefined {
  const isRevision = repository !== undefined && !/^(debian|file|git|tarball|source):/.test(text);
  const spec = parseKernelSpec(isRevision ? `git:${repository}@${text}` : text);
  return spec.kind === 'git' ? { ...spec, path: resolve(spec.path) } : undefined;
}

/**
 * The present meaning of the ends: `debian:7.2` and `debian:latest` may be other versions tomorrow.
 */
async function versionRange(left: DebianSpec, right: DebianSpec): Promise<Range> {
  const good = await exactSpec(left, { progress: say });
  const bad = await exactSpec(right, { progress: say });
  if (left.flavour !== right.flavour)
    throw new PtdiffError(
      'usage',
      `${good} and ${bad} have different flavours; bisect between kernels of one flavour.`,
    );
  if (good === bad)
    throw new PtdiffError('usage', `Both ends are ${good}; there is nothing between them.`);
  return { kind: 'debian', good, bad };
}

/**
 * Parses the ends of a bisection.
 * @param repository where ends are revisions instead of specs
 * @throws PtdiffError(usage) for ends between which nothing can be bisected
 */
export async function rangeOf(
  good: string,
  bad: string,
  repository: string | undefined,
): Promise<Range> {
  const [left, right] = [gitEnd(good, repository), gitEnd(bad, repository)];
  // The same repository, with the same patches, configuration and compiler for each commit.
  if (
    left &&
    right &&
    formatKernelSpec({ ...left, rev: '' }) === formatKernelSpec({ ...right, rev: '' })
  ) {
    const [from, to] = [
      await resolveCommit(left.path, left.rev),
      await resolveCommit(left.path, right.rev),
    ];
    const specOf = (commit: string) => formatKernelSpec({ ...left, rev: commit });
    return { kind: 'git', repository: left.path, good: from, bad: to, specOf };
  }
  const ends = { good: parseKernelSpec(good), bad: parseKernelSpec(bad) };
  if (ends.good.kind === 'debian' && ends.bad.kind === 'debian')
    return versionRange(ends.good, ends.bad);
  throw new PtdiffError(
    'usage',
    `Nothing lies between ${good} and ${bad}: name two Debian versions, or two commits of one repository with the same patches and configuration.`,
  );
}
