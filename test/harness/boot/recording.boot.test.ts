// SPDX-License-Identifier: GPL-2.0-only
import { existsSync, mkdirSync } from 'node:fs';
import { dirname, join } from 'node:path';
import t from 'tap';
import { boot } from '../../../harness/boot/boot.ts';
import { buildRecorder } from '../../../harness/emulator/recorder/build-recorder.ts';
import { prepareLaboratory } from '../../../harness/laboratory/laboratory.ts';
import { loadKernel } from '../../../harness/laboratory/loaded-kernel.ts';
import { scenariosNamed } from '../../../harness/laboratory/plan.ts';
import { runCase } from '../../../harness/laboratory/run-case.ts';
import { readEvidence } from '../../../results/evidence-files.ts';
import { readRecording } from '../../../results/recording-file.ts';
import { chainOf, followRecording } from '../../../src/evidence/follow-recording.ts';
import { RecordedReach } from '../../../src/evidence/recorded-reach.ts';
import { given } from '../../given.ts';
import { realSetup } from '../boot-setup.ts';
import { changedRecorder } from './changed-recorder.ts';

t.test('an early boot of two CPUs: every store to a table, and who made it', async (t) => {
  const { path: recorderLibrary } = await buildRecorder();
  const setup = await realSetup(t, 'debian:7.3', { recorderLibrary, depth: 'early' });
  const machine = { ...setup.machine, cpus: 2 };
  const evidence = await boot({ ...setup, machine });
  t.same(evidence.end, { kind: 'stopped' });
  const recording = given(evidence.recording);
  t.same(
    recording.moments.map(({ checkpoint }) => checkpoint),
    evidence.captures.map(({ checkpoint }) => checkpoint),
  );
  const names = new Set<string>();
  const cpus = new Set<number>();
  let protectedText = 0;
  const reach = new RecordedReach();
  const { reader, operations } = followRecording(recording, reach, {
    store: (table, index, _low, _high, { cpu, operation, before }) => {
      cpus.add(cpu);
      const by = chainOf(operation).map(({ name }) => name);
      for (const name of by) names.add(name);
      if (by.includes('mark_linear_text_alias_ro') && before === 'smp_cpus_done')
        protectedText += Number(reach.of(table, index).va < 0xffff_8000_0000_0000n);
    },
  });
  t.ok(names.has('__set_fixmap') && names.has('paging_init'));
  t.ok(protectedText > 100, `${protectedText} entries of the linear map`);
  t.ok((reader.counts.tlbi ?? 0) > 1000 && (reader.counts.barrier ?? 0) > 10_000);
  t.equal(operations.open, 0, 'whatever was entered has returned');
  t.equal(evidence.recordingFault, undefined);
  t.ok(recording.sites.some((site) => /^__set_fixmap\+0x[0-9a-f]+$/.test(site)));
});

const missed =
  /^The recorder missed a store before paging_init: (entry \d+ of the level -?\d table|the root) at 0x/;

const unseenStores = ['translate.c', 'if (shift < 3)', 'if (shift < 4)'] as const;

for (const [what, file, from, to, fault] of [
  ['stores of 8 bytes are not seen', ...unseenStores, missed],
  ['a linked table is not followed', 'tables.c', '\tif (is)\n', '\tif (0)\n', missed],
  ['a root is not followed', 'tables.c', '\tif (!find(pa))\n', '\tif (0)\n', missed],
  [
    'a switch is not followed',
    'operations.c',
    'entered, switching, freeing_root',
    'entered, freeing_root, freeing_root',
    /^The recorder missed a switch from one task to another; run the case with --no-record\.$/,
  ],
  [
    'a TLBI in a hundred is dropped',
    'translate.c',
    '\tevent_at(EV_TLBI, cpu, site);\n\tchange(',
    '\tstatic int n;\n\tif (++n % 100 == 0) { unlock(); return; }\n\tevent_at(EV_TLBI, cpu, site);\n\tchange(',
    /^The recorder missed a TLB invalidation; run the case with --no-record\.$/,
  ],
] as const) {
  t.test(`a recorder that is wrong is found out: ${what}`, async (t) => {
    const recorderLibrary = await changedRecorder(t, [[file, from, to]]);
    const setup = await realSetup(t, 'debian:7.3', { recorderLibrary, depth: 'early' });
    const evidence = await boot(setup);
    t.match(evidence.recordingFault, fault);
    t.same(evidence.end, { kind: 'stopped' }, 'what else was observed is kept');
    t.same(
      given(evidence.recording).moments.map(({ checkpoint }) => checkpoint),
      evidence.captures.map(({ checkpoint }) => checkpoint),
    );
    t.ok(given(evidence.recording).events.length > 10_000);
  });
}

t.test('a case whose recording is wrong is an error, with all that was observed', async (t) => {
  const scenario = given((await scenariosNamed('max'))[0]);
  const laboratory = await prepareLaboratory([scenario], undefined, false);
  const recorderLibrary = await changedRecorder(t, [unseenStores]);
  const kernel = await loadKernel('debian:7.3');
  const directory = join(dirname(recorderLibrary), 'case');
  mkdirSync(directory);
  const each = { name: 'broken', kernel, scenario, depth: 'early' as const, directory };
  const { signal } = new AbortController();
  const run = runCase({ ...laboratory, recorderLibrary }, each, signal);
  await t.rejects(run, { fault: 'harness', message: missed });
  t.equal(readEvidence(directory).captures.length, 4);
  t.ok(given(readRecording(directory)).events.length > 10_000);
  t.ok(existsSync(join(directory, 'repro.sh')));
});

t.test('CPUs that share a thread are not recorded: events would tell the wrong CPU', async (t) => {
  const { path: recorderLibrary } = await buildRecorder();
  const setup = await realSetup(t, 'debian:7.3', { recorderLibrary, depth: 'early' });
  const command = [...setup.emulator.command, '-accel', 'tcg,thread=single'];
  const shared = { ...setup, emulator: { command }, machine: { ...setup.machine, cpus: 2 } };
  await t.rejects(boot(shared), { fault: 'emulator', message: /CPUs share a thread/ });
});

t.test('a recorder that cannot be loaded is the emulator’s fault', async (t) => {
  const setup = await realSetup(t, 'debian:7.3', { recorderLibrary: '/nowhere/recorder.so' });
  await t.rejects(boot(setup), { fault: 'emulator', message: /\/nowhere\/recorder\.so/ });
});
