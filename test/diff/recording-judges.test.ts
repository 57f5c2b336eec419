// SPDX-License-Identifier: GPL-2.0-only
import t from 'tap';
import { checkUpdates } from '../../src/bbm/check-updates.ts';
import { bbmLevels } from '../../src/diff/bbm-levels.ts';
import type { BootContext } from '../../src/diff/context.ts';
import { everyInstant } from '../../src/diff/instants/index.ts';
import { RecordingJudges } from '../../src/diff/recording-judges.ts';
import { checkRefinement } from '../../src/diff/refinement/check.ts';
import { refinementFindings } from '../../src/diff/refinement/findings.ts';
import type { Recording } from '../../src/evidence/capture.ts';
import { rewriteRecording } from '../evidence/rewrite-recording.ts';
import { given } from '../given.ts';
import { recordedKernel } from './refinement/recorded-kernel.ts';
import { soundContext } from './synthetic.ts';

const { recording: sound, kernel, registers } = recordedKernel('7.3.4+deb13-arm64@max');

/**
 * A recorded boot with something wrong for each judge: TLBIs are left out, and set_memory_x() is
 * asked for pages after those that it makes executable.
 */
function faulty(): Recording {
  let seen = 0;
  return rewriteRecording(sound, (event) => {
    if (event.kind === 'tlbi') return ++seen % 5 === 0 ? [] : [event];
    if (event.kind !== 'enter') return [event];
    if (sound.functions[event.call.listed]?.name !== 'set_memory_x') return [event];
    const [start = 0n, pages = 0n] = event.args;
    return [{ ...event, args: [start + (pages << 12n), pages] }];
  });
}

const recording = faulty();

function bootOf(): BootContext {
  const context = soundContext({ checkpoint: 'paging_init' });
  for (const cpu of context.capture.cpus) cpu.registers = registers;
  const evidence = { ...context.evidence, recording };
  return { ...context, evidence, image: kernel.image, aliasBit: kernel.aliasBit };
}

t.test('what reads a recording for all judges finds what each of them finds alone', (t) => {
  const boot = bootOf();
  const levels = bbmLevels(boot.evidence.idRegisters);
  const { deviations } = checkRefinement(recording, kernel);
  const alone = {
    updates: { sites: checkUpdates(recording, levels), levels },
    instants: everyInstant(boot),
    refined: refinementFindings(recording, deviations),
  };
  for (const found of [alone.updates.sites, alone.instants, alone.refined])
    t.ok(found.length > 0, 'each finds something');
  const judges = new RecordingJudges(boot, recording, bbmLevels(boot.evidence.idRegisters));
  t.same(judges.judge(boot, kernel.state), alone);
  t.end();
});

t.test('another hypothesis of the kernel changes what the model says, and nothing else', (t) => {
  const boot = bootOf();
  const judges = new RecordingJudges(boot, recording, bbmLevels(boot.evidence.idRegisters));
  const first = judges.judge(boot, undefined);
  t.same(first.refined, []);
  const second = judges.judge(boot, kernel.state);
  t.ok(given(second.refined).length > 0);
  t.equal(second.updates, first.updates);
  t.equal(second.instants, first.instants);
  t.end();
});

t.test('without a checkpoint the rules of updates alone are asked', (t) => {
  const boot = bootOf();
  boot.evidence.captures.length = 0;
  const judged = new RecordingJudges(boot, recording, bbmLevels(boot.evidence.idRegisters)).judge(
    boot,
    kernel.state,
  );
  t.ok(given(judged.updates).sites.length > 0);
  t.same([judged.instants, judged.refined], [[], []]);
  t.end();
});
