import { execa } from 'execa';
import { supervisorScript } from '../../src/supervisor.ts';
import { withScratch } from '../cache.ts';

/** How a command ended. */
export interface SupervisedResult {
  /** Exit status as the shell's $?; undefined when it was ended together with its supervisor. */
  status?: number;
  stdout: string;
  stderr: string;
}

/**
 * Runs a command that changes files which the next ptdiff would work in, too: it and its children end with this process, whatever ends that, and
 * when the signal says so: the caller looks at it again, for then nothing is thrown here.
 * @param env the whole environment; TMPDIR is a folder that is gone afterwards
 * @param maxBuffer characters of output that are kept
 * @throws the signal's reason, where it has come before the start
 */
export async function runSupervised(
  command: string[],
  env: Record<string, string>,
  { signal, maxBuffer = 2 ** 20 }: { signal?: AbortSignal; maxBuffer?: number } = {},
): Promise<SupervisedResult> {
  signal?.throwIfAborted();
  return withScratch(async (scratch) => {
    // Detached: a Ctrl-C on the terminal goes to ptdiff alone, which then ends the command in order.
    const supervisor = execa('sh', ['-c', supervisorScript, 'ptdiff-supervisor', scratch, ...command], {
      stdin: 'pipe',
      detached: true,
      cleanup: false,
      reject: false,
      extendEnv: false,
      env: { ...env, TMPDIR: scratch },
      maxBuffer,
    });
    // Writing is never tried, but the reader may be gone first.
    supervisor.stdin.on('error', () => {});
    const stop = () => supervisor.stdin.destroy();
    signal?.addEventListener('abort', stop);
    const { stdout, stderr } = await supervisor;
    signal?.removeEventListener('abort', stop);
    return endOf(stdout, stderr);
  });
}

/** The supervisor's own last word is how the command ended. */
function endOf(stdout: string, stderr: string): SupervisedResult {
  const [, output, status] = /^([\s\S]*?)exit (\d+)\n?$/.exec(stdout) ?? [];
  return status === undefined ? { stdout, stderr } : { status: Number(status), stdout: output, stderr };
}
