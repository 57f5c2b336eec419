// SPDX-License-Identifier: GPL-2.0-only
import { wantsColour } from '../../src/report/colour.ts';
import { createProgress, type ProgressEvent } from '../../src/report/progress.ts';

/** Shows progress on stderr; the returned function ends the display. */
export function showProgress(
  total: number,
  done: number,
  jobs: number,
): { tell(event: ProgressEvent): void; end(): void } {
  const { stderr } = process;
  const live = stderr.isTTY === true;
  const progress = createProgress({
    live,
    columns: stderr.columns ?? 100,
    colour: wantsColour(stderr, process.env),
  });
  const tell = (event: ProgressEvent): void => void stderr.write(progress(event));
  tell({ kind: 'run-started', at: performance.now(), total, done, jobs });
  const timer = live
    ? setInterval(() => tell({ kind: 'tick', at: performance.now() }), 1000)
    : undefined;
  return {
    tell,
    end: () => {
      clearInterval(timer);
      tell({ kind: 'run-ended', at: performance.now() });
    },
  };
}
