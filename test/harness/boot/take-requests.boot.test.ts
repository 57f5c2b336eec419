// SPDX-License-Identifier: GPL-2.0-only
import { readFileSync } from 'node:fs';
import t from 'tap';
import { buildMonitor } from '../../../guest/build-monitor.ts';
import { boot } from '../../../harness/boot/boot.ts';
import { hasLeavesToSplit } from '../../../harness/boot/record-splits.ts';
import {
  recordsRequests,
  requestCollector,
  requestsIn,
} from '../../../harness/boot/take-requests.ts';
import { buildRecorder } from '../../../harness/emulator/recorder/build-recorder.ts';
import { followRecording } from '../../../src/evidence/follow-recording.ts';
import { bootFactsOf } from '../../../src/evidence/read-boot-facts.ts';
import { geometryOf } from '../../../src/linux/geometry.ts';
import type { KernelTraits } from '../../../src/linux/kernel-traits.ts';
import { recorderList } from '../../../src/linux/recorded-functions.ts';
import type { Machine } from '../../../src/scenario/types.ts';
import { given } from '../../given.ts';
import { realSetup } from '../boot-setup.ts';

// Seven boots of real kernels, on hosts that may have much else to do.
t.setTimeout(20 * 60_000);

/** Listed as able to split leaves; not listed. */
const capable = 'max,midr=0x410fd842,pauth=off,sve=off,sme=off';
const other = 'max,pauth=off,sve=off,sme=off';

const realm: Partial<Machine> = { world: 'realm', firmware: 'monitor' };

for (const [spec, cpu, machine, groupProtection] of [
  ['debian:6.12', other, {}, false],
  ['debian:6.18', capable, {}, false],
  ['debian:7.1.13', capable, { cpus: 2 }, true],
  ['debian:7.2', capable, {}, true],
  ['debian:7.3', capable, {}, true],
  ['debian:7.3', other, realm, true],
  ['debian:6.18', capable, realm, false],
] as [string, string, Partial<Machine>, boolean][]) {
  const world = machine.world ?? 'normal';
  const what = `${spec}, ${world} world, ${machine.cpus ?? 1} CPU, ${cpu === capable ? 'splits' : 'pages'}`;
  t.test(`breakpoints and the recording give the same facts: ${what}`, async (t) => {
    const setup = await realSetup(t, spec, {
      cpu,
      groupProtection,
      recorderLibrary: (await buildRecorder()).path,
      requestsByBreakpoints: true,
      ...(world === 'realm' && {
        monitor: readFileSync((await buildMonitor()).path),
        // Of a realm without devices that do DMA: devices are at the alias.
        commandLine: `console=ttyAMA0 earlycon=pl011,0x${(2 ** 39 + 0x0900_0000).toString(16)} nokaslr panic=-1`,
      }),
    });
    const whole: Machine = { ...setup.machine, ...machine };
    const evidence = await boot({ ...setup, machine: whole });
    t.same(evidence.end, { kind: 'completed' });
    const { symbols } = setup;
    t.ok(recordsRequests(recorderList(symbols).functions, symbols, world));
    const capture = given(evidence.captures[0]);
    const collector = requestCollector(symbols, setup.granule, evidence.image.pa);
    followRecording(given(evidence.recording), collector);
    const requests = requestsIn(
      {
        evidence,
        kernel: { symbols, slide: evidence.image.slide, vmemmap: setup.vmemmap },
        nextCheckpoint: () => undefined,
      },
      collector,
      {
        world,
        splits:
          symbols.has('split_kernel_leaf_mapping') &&
          hasLeavesToSplit(capture, evidence.image, symbols),
        groupsProtection:
          groupProtection && whole.cpus === 1 && capture.variables.rodata_full === 1n,
      },
    );
    t.same(requests.splitRequests, evidence.splitRequests);
    t.same(requests.protectRequests, evidence.protectRequests ?? []);
    t.same(requests.sharing, evidence.sharing ?? []);
    // Of the traits, readOnlyVmalloc needs where vmalloc memory is.
    const traits = { config: { vaBits: 52 }, geometry: geometryOf(4096) } as KernelTraits;
    const facts = bootFactsOf({ evidence, traits, symbols, hidden: [] });
    t.same(requests.readOnlyVmalloc, facts.readOnlyVmalloc);
    const asked = requests.splitRequests.length + requests.protectRequests.length;
    t.equal(asked > 0, cpu === capable);
    if (world === 'realm') t.ok(requests.sharing.length > 0);
    t.ok((requests.readOnlyVmalloc.init ?? []).length > 0);
  });
}
