// SPDX-License-Identifier: GPL-2.0-only
import { chmodSync, readFileSync, statSync } from 'node:fs';
import { basename } from 'node:path';
import { buildCollect } from '../../guest/build-collect.ts';
import { onHost, replaceFile } from '../../host/host-file.ts';
import { say } from '../../host/say.ts';
import { PtdiffError } from '../errors.ts';
import type { Verb } from './verb.ts';

/** As one word of a shell. */
const quoted = (word: string) =>
  /^[\w./+-]+$/.test(word) ? word : `'${word.replaceAll("'", "'\\''")}'`;

/**
 * `ptdiff collect`: leaves the program for live machines where the user wants it, and prints how to
 * run it there.
 */
async function collectCommand(out: string, signal: AbortSignal): Promise<number> {
  if (statSync(out, { throwIfNoEntry: false })?.isDirectory())
    throw new PtdiffError(
      'usage',
      `${out} is a folder: name a file in it, such as ${out}/collect.`,
    );
  const { path } = await buildCollect({ progress: say, signal });
  replaceFile(out, readFileSync(path));
  onHost(out, () => chmodSync(out, 0o755));
  const there = quoted(`./${basename(out)}`);
  process.stdout.write(
    [
      `wrote ${out}: a static arm64 program. On a live machine, BOARD, with root:`,
      `  scp ${quoted(out)} BOARD: && ssh -t BOARD sudo ${there} && scp BOARD:board.tar.gz .`,
      `'${there} --help' says what is in board.tar.gz; --dry-run lists it without writing it.`,
      '',
    ].join('\n'),
  );
  return 0;
}

export const addCollect: Verb = (command, { finish, signal }) => {
  command
    .requiredOption('--out <file>', 'where to write the program')
    .action(async ({ out }: { out: string }) => finish(await collectCommand(out, signal)));
};
