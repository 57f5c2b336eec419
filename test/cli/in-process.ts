// SPDX-License-Identifier: GPL-2.0-only
import { runCommand } from '../../src/cli/command-line.ts';

/** What a command line printed, and its exit code. */
interface Printed {
  exitCode: number;
  stdout: string;
  stderr: string;
}

/** Takes what is written to a stream of this process until it is given back. */
function capture(stream: NodeJS.WriteStream): { text: () => string; giveBack: () => void } {
  const { write } = stream;
  const pieces: string[] = [];
  stream.write = (piece: string | Uint8Array) => {
    pieces.push(typeof piece === 'string' ? piece : new TextDecoder().decode(piece));
    return true;
  };
  return {
    text: () => pieces.join('').trimEnd(),
    giveBack: () => {
      stream.write = write;
    },
  };
}

/**
 * Runs a command line in this process, since the start of another takes longer than most commands
 * that only print or refuse. Nothing else may print meanwhile.
 */
export async function ptdiffHere(...words: string[]): Promise<Printed> {
  const [out, err] = [capture(process.stdout), capture(process.stderr)];
  try {
    const exitCode = await runCommand(words, new AbortController().signal);
    return { exitCode, stdout: out.text(), stderr: err.text() };
  } finally {
    out.giveBack();
    err.giveBack();
  }
}
