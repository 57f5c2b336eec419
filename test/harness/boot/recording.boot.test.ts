// SPDX-License-Identifier: GPL-2.0-only
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { boot } from '../../../harness/boot/boot.ts';
import { buildRecorder } from '../../../harness/emulator/recorder/build-recorder.ts';
import { hostToolchain } from '../../../images/toolchain/toolchain.ts';
import { followRecording } from '../../../src/evidence/follow-recording.ts';
import { given } from '../../given.ts';
import { realSetup } from '../boot-setup.ts';

const sources = join(import.meta.dirname, '../../../harness/emulator/recorder');

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
  const { reader, operations } = followRecording(recording, {
    store: ({ cpu, chain, before, reach }) => {
      cpus.add(cpu);
      const by = chain().map(({ call }) => given(recording.functions[call.listed]).name);
      for (const name of by) names.add(name);
      if (by.includes('mark_linear_text_alias_ro') && before === 'smp_cpus_done')
        protectedText += Number(reach().va < 0xffff_8000_0000_0000n);
    },
  });
  t.ok(names.has('__set_fixmap') && names.has('paging_init'));
  t.ok(protectedText > 100, `${protectedText} entries of the linear map`);
  t.ok((reader.counts.tlbi ?? 0) > 1000 && (reader.counts.barrier ?? 0) > 10_000);
  t.equal(operations.open, 0, 'whatever was entered has returned');
  t.ok(recording.sites.some((site) => /^__set_fixmap\+0x[0-9a-f]+$/.test(site)));
});

/** The recorder with one thing wrong in it. */
async function brokenRecorder(t: Test, file: string, from: string, to: string): Promise<string> {
  const folder = t.testdir();
  for (const name of readdirSync(sources).filter((each) => /\.[ch]$/.test(each))) {
    const text = readFileSync(join(sources, name), 'utf8');
    const changed = name === file ? text.replace(from, to) : text;
    if (name === file) t.not(changed, text);
    writeFileSync(join(folder, name), changed);
  }
  const output = join(folder, 'recorder.so');
  const all = readdirSync(folder).filter((each) => each.endsWith('.c'));
  const toolchain = await hostToolchain();
  await toolchain.compileShared({
    sources: all.map((name) => join(folder, name)),
    includeDirs: [folder],
    output,
    flags: ['-std=gnu11', '-fvisibility=hidden'],
  });
  return output;
}

for (const [what, file, from, to] of [
  ['stores of 8 bytes are not seen', 'translate.c', 'if (shift < 3)', 'if (shift < 4)'],
  ['a linked table is not followed', 'tables.c', '\tif (is)\n', '\tif (0)\n'],
  ['a root is not followed', 'tables.c', '\tif (!find(pa))\n', '\tif (0)\n'],
] as const) {
  t.test(`a recorder that is wrong is found out: ${what}`, async (t) => {
    const recorderLibrary = await brokenRecorder(t, file, from, to);
    const setup = await realSetup(t, 'debian:7.3', { recorderLibrary, depth: 'early' });
    await t.rejects(boot(setup), {
      fault: 'harness',
      message:
        /^The recorder missed a store before paging_init: (entry \d+ of the level -?\d table|the root) at 0x/,
    });
  });
}

t.test('a recorder that cannot be loaded is the emulator’s fault', async (t) => {
  const setup = await realSetup(t, 'debian:7.3', { recorderLibrary: '/nowhere/recorder.so' });
  await t.rejects(boot(setup), { fault: 'emulator', message: /\/nowhere\/recorder\.so/ });
});
