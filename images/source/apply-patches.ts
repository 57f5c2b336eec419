// SPDX-License-Identifier: GPL-2.0-only
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { basename, join, resolve } from 'node:path';
import { withScratch } from '../../host/cache.ts';
import { mostBytes, readRegular, whyUnreadable } from '../../host/read-file.ts';
import { PtdiffError } from '../../src/errors.ts';
import { firstComplaint, type GitStore } from './git-store.ts';
import type { SourceTree } from './tree.ts';

/** One diff of a patch file. */
interface Patch {
  /** For messages: the file, and which of its mails it is. */
  name: string;
  path: string;
}

/** Headers that a mail begins with; a mailbox begins with 'From '. */
const mailStart =
  /^(From |(From|Date|Subject|Return-Path|Received|Delivered-To|Message-ID|MIME-Version|X-[\w-]+):)/i;

/**
 * A tree with patches applied, as git am would do it.
 * @param patches files: diffs, mails, or mailboxes whose mails are applied in order
 * @throws `image` for a patch that does not apply, with file and hunk; `usage` for a file that is
 * not a patch
 */
export async function applyPatches(
  store: GitStore,
  source: SourceTree,
  patches: string[],
): Promise<SourceTree> {
  if (patches.length === 0) return source;
  const { name, tag } = source;
  const tree = await withScratch(async (scratch) => {
    const place = { index: join(scratch, 'index'), alternates: source.alternates };
    await store.run(['read-tree', source.tree], place);
    for (const [number, file] of patches.entries()) {
      for (const patch of await splitPatches(
        store,
        resolve(file),
        join(scratch, `patch-${number}`),
      )) {
        const { ok, stderr } = await store.try(
          ['apply', '--cached', '--whitespace=nowarn', patch.path],
          place,
        );
        if (!ok) throw await doesNotApply(patch, name, stderr);
      }
    }
    return (await store.run(['write-tree'], place)).trim();
  });
  const names = patches.map((file) => basename(file)).join(', ');
  return {
    ...source,
    tree,
    name: `${name} + ${names}`,
    tag: [tag, `p${tree.slice(0, 8)}`].filter(Boolean).join('-'),
  };
}

/** The diffs in a file. */
async function splitPatches(store: GitStore, file: string, stem: string): Promise<Patch[]> {
  // A kernel file may have any encoding: its bytes must not change.
  const bytes = await readRegular(file, mostBytes.text).catch((cause) => {
    throw new PtdiffError('usage', `Cannot read the patch ${file}: ${whyUnreadable(cause)}.`, {
      cause,
    });
  });
  const text = bytes.toString('latin1');
  const patches = mailStart.test(text.trimStart())
    ? await splitMails(store, file, text, stem)
    : [{ name: basename(file), path: file, diff: text }];
  const whole = patches.filter(({ diff }) => /^(diff --git |--- \S)/m.test(diff));
  if (whole.length === 0) throw new PtdiffError('usage', `The patch ${file} holds no diff.`);
  return whole;
}

/** Cover letters and replies are mails without a diff. */
async function splitMails(
  store: GitStore,
  file: string,
  text: string,
  stem: string,
): Promise<(Patch & { diff: string })[]> {
  // mailsplit numbers files with four digits, from 1 for each mailbox, and requires that their
  // folder exists.
  await mkdir(stem);
  const copy = `${stem}.mbox`;
  await writeFile(copy, text.trimStart(), 'latin1');
  const count = Number(await store.run(['mailsplit', '-b', '-d4', `-o${stem}`, '--', copy]));
  const found: (Patch & { diff: string })[] = [];
  for (let number = 1; number <= count; number++) {
    const mail = join(stem, String(number).padStart(4, '0'));
    const path = `${stem}.${number}.diff`;
    const info = await store.run(['mailinfo', '-k', `${stem}.message`, path], {
      input: await readFile(mail),
    });
    const subject = /^Subject: (.*)$/m.exec(info)?.[1] ?? 'no subject';
    const name = `${basename(file)}${count > 1 ? `, mail ${number}` : ''} ("${subject.slice(0, 80)}")`;
    found.push({ name, path, diff: await readFile(path, 'utf8') });
  }
  return found;
}

/** Finds the hunk that git means by its file and line. */
async function doesNotApply(
  { name, path }: Patch,
  source: string,
  stderr: string,
): Promise<PtdiffError> {
  const [, file, line] = /^error: patch failed: (.*):(\d+)$/m.exec(stderr) ?? [];
  const fault = (why: string) =>
    new PtdiffError('image', `The patch ${name} does not apply to ${source}: ${why}.`);
  if (file === undefined) return fault(firstComplaint(stderr));
  const hunks = hunkLines(await readFile(path, 'utf8'), file);
  const number = hunks.indexOf(Number(line)) + 1;
  const which = number > 0 ? `hunk ${number} of ${hunks.length}` : 'a hunk';
  return fault(`${which} in ${file}, at line ${line}, finds other text there`);
}

/** First lines of one file's hunks, in the old version. */
function hunkLines(diff: string, file: string): number[] {
  const lines: number[] = [];
  let inside = false;
  for (const line of diff.split('\n')) {
    const [, old] = /^--- (?:[^/\s]+\/)?(\S+)/.exec(line) ?? [];
    if (old !== undefined) inside = old === file;
    const [, start] = /^@@ -(\d+)/.exec(line) ?? [];
    if (inside && start !== undefined) lines.push(Number(start));
  }
  return lines;
}
