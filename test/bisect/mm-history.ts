// SPDX-License-Identifier: GPL-2.0-only
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { execa } from 'execa';
import { withoutGit } from '../../images/source/git-store.ts';
import {
  afterMerge,
  branchPoint,
  type Change,
  mainLine,
  type Role,
  topicBranch,
} from './mm-series.ts';

/** A commit of the made history. */
interface MadeCommit {
  commit: string;
  subject: string;
  /** `base` is the kernel as it came; `merge` brings the topic branch. */
  role: Role | 'base' | 'merge';
}

/** The files of a kernel's source as a tree of git, and where its objects lie. */
interface BaseTree {
  tree: string;
  objects: string;
}

/** Files as they are after some commits, by path. */
type Files = ReadonlyMap<string, string>;

function applied(files: Files, { file, edits, subject }: Change): Map<string, string> {
  let text = files.get(file) ?? '';
  for (const [from, to] of edits) {
    if (text.split(from).length !== 2)
      throw new Error(`'${subject}' does not apply to ${file}: ${from}`);
    text = text.replace(from, () => to);
  }
  return new Map(files).set(file, text);
}

/**
 * A commit for git fast-import. The same dates on every day: the same history, the same builds in
 * the cache.
 */
function record(
  mark: number,
  message: string,
  parents: number[],
  changed: [string, string][],
): string {
  const data = (text: string) => `data ${Buffer.byteLength(text)}\n${text}\n`;
  return [
    'commit refs/heads/main\n',
    `mark :${mark}\n`,
    `committer A. Tester <tester@example.org> ${1_790_000_000 + mark * 60} +0000\n`,
    data(message),
    ...parents.map((parent, place) => `${place === 0 ? 'from' : 'merge'} :${parent}\n`),
    ...changed.map(([file, text]) => `M 100644 inline ${file}\n${data(text)}`),
    '\n',
  ].join('');
}

/**
 * The history as git fast-import reads it, and what its commits are, in the order of their marks 1,
 * 2, …
 */
function streamOf(
  tree: string,
  base: Files,
): { stream: string; roles: Omit<MadeCommit, 'commit'>[] } {
  const roles: Omit<MadeCommit, 'commit'>[] = [{ subject: 'The kernel as it came', role: 'base' }];
  const first = record(1, 'The kernel as it came\n', [], []).trimEnd();
  const records = [`${first}\nM 040000 ${tree} \n\n`];
  const grow = (files: Files, parent: number, changes: Change[]): { files: Files; tip: number } => {
    let state = { files, tip: parent };
    for (const change of changes) {
      const { subject, body, role, file } = change;
      const next = applied(state.files, change);
      roles.push({ subject, role });
      records.push(
        record(
          roles.length,
          `${subject}\n\n${body}\n`,
          [state.tip],
          [[file, next.get(file) ?? '']],
        ),
      );
      state = { files: next, tip: roles.length };
    }
    return state;
  };
  const stem = grow(base, 1, mainLine.slice(0, branchPoint));
  const main = grow(stem.files, stem.tip, mainLine.slice(branchPoint));
  const topic = grow(stem.files, stem.tip, topicBranch);
  const brought = topicBranch.map(({ file }): [string, string] => [
    file,
    topic.files.get(file) ?? '',
  ]);
  const subject = 'Merge branch for-next/misc';
  roles.push({ subject, role: 'merge' });
  records.push(record(roles.length, `${subject}\n`, [main.tip, topic.tip], brought));
  grow(new Map([...main.files, ...brought]), roles.length, afterMerge);
  return { stream: records.join(''), roles };
}

/**
 * Makes a bare repository with a history of changes to arch/arm64/mm on top of a kernel: a main
 * line, and a topic branch that is merged. Only the files that change are ever written; the others
 * stay in the repository that they are borrowed from.
 * @returns the commits, the base first and the tip last
 */
export async function makeHistory(
  repository: string,
  { tree, objects }: BaseTree,
): Promise<MadeCommit[]> {
  const options = {
    env: { ...withoutGit(process.env), GIT_DIR: repository, GIT_CONFIG_GLOBAL: '/dev/null' },
    extendEnv: false,
    stripFinalNewline: false,
  };
  await execa(
    'git',
    ['init', '--quiet', '--bare', '--template=', '--initial-branch=main', repository],
    options,
  );
  await writeFile(join(repository, 'objects', 'info', 'alternates'), `${objects}\n`);
  const files = new Map<string, string>();
  for (const { file } of [...mainLine, ...topicBranch, ...afterMerge])
    files.set(file, (await execa('git', ['cat-file', 'blob', `${tree}:${file}`], options)).stdout);
  const { stream, roles } = streamOf(tree, files);
  const marks = join(repository, 'marks');
  await execa('git', ['fast-import', '--quiet', `--export-marks=${marks}`], {
    ...options,
    input: stream,
  });
  const commits = new Map(
    (await execa('cat', [marks])).stdout
      .split('\n')
      .map((line) => [line.split(' ')[0], line.split(' ')[1]]),
  );
  return roles.map((role, index) => ({ commit: commits.get(`:${index + 1}`) ?? '', ...role }));
}
