// SPDX-License-Identifier: GPL-2.0-only
/**
 * What a realm asks of the RMM, on real kernels: as they are, and with one range of memory
 * forgotten by a changed Image.
 */

import { readFileSync } from 'node:fs';
import t, { type Test } from 'tap';
import { buildMonitor } from '../../guest/build-monitor.ts';
import { parametersOffset } from '../../guest/monitor-parameters.ts';
import { boot } from '../../harness/boot/boot.ts';
import type { BootEvent, CaseSetup } from '../../harness/boot/case-setup.ts';
import { loadKernel } from '../../harness/laboratory/loaded-kernel.ts';
import { symbolOffset } from '../../harness/laboratory/question.ts';
import { compareRsi } from '../../src/diff/compare-rsi.ts';
import type { Finding } from '../../src/diff/types.ts';
import type { Evidence } from '../../src/evidence/capture.ts';
import { bootFactsOf } from '../../src/evidence/read-boot-facts.ts';
import { predict } from '../../src/model/predict.ts';
import { cpuNamed } from '../../src/scenario/cpus.ts';
import { hiddenRegisters } from '../../src/scenario/id-overrides.ts';
import type { Machine } from '../../src/scenario/types.ts';
import { given } from '../given.ts';
import { offsetOf, patched, realSetup } from './boot-setup.ts';

// Three boots of real kernels, on hosts that may have much else to do.
t.setTimeout(0);

const spec = 'debian:7.3';
const kernel = await loadKernel(spec);
/** Little memory, in three ranges. */
const nodes = [
  [{ start: 0x4000_0000, size: 0x1000_0000 }],
  [
    { start: 0x5800_0000, size: 0x0400_0000 },
    { start: 0x6000_0000, size: 0x0400_0000 },
  ],
];
const machine: Machine = {
  ...{ cpu: 'max', cpus: 1, holes: [], world: 'realm', firmware: 'monitor' },
  ...{ memory: 576, nodes },
};

async function realmSetup(t: Test, over: Partial<CaseSetup> = {}): Promise<CaseSetup> {
  const monitor = readFileSync((await buildMonitor()).path);
  return realSetup(t, spec, {
    machine,
    cpu: cpuNamed('max').qemu,
    commandLine: 'console=ttyAMA0 nokaslr',
    monitor,
    ...over,
  });
}

/** What the comparison finds in the record of a boot. */
function compared(evidence: Evidence): Finding[] {
  const { symbols, traits } = kernel;
  const facts = bootFactsOf({ evidence, traits, symbols, hidden: hiddenRegisters(machine) });
  const question = { traits, machine, parameters: [], kaslr: false, probes: [], facts };
  const { rsi } = predict({ ...question, symbolOffset: (name) => symbolOffset(symbols, name) });
  return compareRsi(rsi, evidence, traits.geometry.granule);
}

/** Ranges that the realm asked to be RAM. */
const askedRam = ({ rsi }: Evidence): string[] =>
  (rsi?.calls ?? [])
    .filter(({ rsi, arguments: [, , state] }) => rsi === 'IPA_STATE_SET' && state === 1n)
    .map(({ arguments: [base, top] }) => `${base.toString(16)}-${top.toString(16)}`);

let prepared: (BootEvent & { kind: 'prepared' }) | undefined;

t.test('a stock kernel asks for all of its memory, range by range', async (t) => {
  const onEvent = (event: BootEvent) => {
    if (event.kind === 'prepared') prepared = event;
  };
  const evidence = await boot(await realmSetup(t, { onEvent }));
  t.same(evidence.end, { kind: 'completed' });
  t.same(askedRam(evidence), ['40000000-50000000', '58000000-5c000000', '60000000-64000000']);
  t.same(compared(evidence), []);
});

/**
 * arm64_rsi_setup_memory(), inlined: `stp xzr, xzr, [sp, #16]` and `str xzr, [sp, #32]` clear the
 * iterator, start and end. With the iterator at 1 the first range is passed over: `mov x8, #1`,
 * `stp x8, xzr, [sp, #16]`.
 */
const [clearsIterator, startsBehindFirst] = [
  [0xa9017fff, 0xf90013ff],
  [0xd2800028, 0xa9017fe8],
];

t.test(
  'a kernel that forgets one range of its memory is found out, though it lives on',
  async (t) => {
    const setup = await realmSetup(t);
    const image = readFileSync(setup.kernel.imagePath);
    const [start, size] = [
      offsetOf(setup, 'arm64_rsi_init'),
      Number(setup.symbols.size('arm64_rsi_init')),
    ];
    const words = Array.from({ length: size / 4 }, (_, index) =>
      image.readUInt32LE(start + index * 4),
    );
    const places = [...words.keys()].filter((at) =>
      clearsIterator.every((word, index) => words[at + index] === word),
    );
    t.equal(places.length, 1, 'the kernel has the loop where this test expects it');
    const evidence = await boot(
      patched(t, setup, 'arm64_rsi_init', given(places[0]) * 4, startsBehindFirst),
    );
    t.same(evidence.end, { kind: 'completed' });
    t.same(askedRam(evidence), ['58000000-5c000000', '60000000-64000000']);
    const [finding, ...others] = compared(evidence);
    t.match(finding, { id: 'mismatch/rsi/setup-memory/missing', kind: 'mismatch' });
    t.match(
      finding?.detail,
      /RSI_IPA_STATE_SET\(0x40000000 to 0x50000000, RAM, RSI_NO_CHANGE_DESTROYED\)/,
    );
    t.same(others, []);
  },
);

/**
 * The first boot again, with one 32-bit parameter of the monitor changed
 * (guest/monitor/parameters.h).
 */
async function bootWith(t: Test, offset: number, value: number): Promise<Evidence> {
  const { monitor, deviceTree } = prepared ?? {};
  if (!monitor || !deviceTree) throw new Error('the first boot was not prepared');
  const flash = Uint8Array.from(monitor.flash);
  new DataView(flash.buffer).setUint32(parametersOffset + offset, value, true);
  return boot({ ...(await realmSetup(t)), blobs: { deviceTree, monitor: { ...monitor, flash } } });
}

t.test(
  'memory that is EMPTY when Linux starts is its end: it is used before anything is asked',
  async (t) => {
    // The host makes the first of the described ranges RAM and no other.
    const evidence = await bootWith(t, 0x4c, 1);
    t.match(evidence.end, { kind: 'panic', reason: /do_sea\+.*< paging_init\+/ });
    t.same(evidence.rsi, { calls: [], lost: 0 });
    t.match(evidence.monitor?.aborts, [
      { kind: 'protected address of RAM that is not private', ripas: 'EMPTY' },
    ]);
    t.ok((given(evidence.monitor?.aborts[0]).ipa ?? 0) >= 0x5800_0000);
    t.same(evidence.captures, []);
  },
);

t.test('an RMM that does 16 MiB at a time is asked again, from where it stopped', async (t) => {
  const evidence = await bootWith(t, 0x48, 4096);
  t.same(evidence.end, { kind: 'completed' });
  const asked = askedRam(evidence);
  t.equal(asked.length, (256 + 64 + 64) / 16);
  t.same(
    asked.slice(0, 2),
    ['40000000-50000000', '41000000-50000000'],
    'with the rest of the range',
  );
  t.same(compared(evidence), []);
});
