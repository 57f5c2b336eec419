// SPDX-License-Identifier: GPL-2.0-only
import { divertSpeech } from '../../host/say.ts';
import { wantsColour } from '../../src/report/colour.ts';
import { createProgress, type ProgressEvent } from '../../src/report/progress.ts';

/** Shows progress on stderr, until its end is told. */
export function showProgress(
  extent: { total: number; done: number; open: boolean },
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
  tell({ kind: 'run-started', at: performance.now(), ...extent, jobs });
  const giveBack = live
    ? divertSpeech((text) => tell({ kind: 'said', at: performance.now(), text }))
    : undefined;
  const timer = live
    ? setInterval(() => tell({ kind: 'tick', at: performance.now() }), 1000)
    : undefined;
  return {
    tell,
    end: () => {
      clearInterval(timer);
      giveBack?.();
      tell({ kind: 'run-ended', at: performance.now() });
    },
  };
}
