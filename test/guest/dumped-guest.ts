// SPDX-License-Identifier: GPL-2.0-only
/** Guests that are stopped, dumped or crash, and what an archive of such a moment must hold. */

import { readdirSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Test } from 'tap';
import { captureRegisters } from '../../harness/boot/capture-checkpoint.ts';
import type { CaseSetup } from '../../harness/boot/case-setup.ts';
import { type VirtualMachine, withMachine } from '../../harness/emulator/virtual-machine.ts';
import { type Stage1Regime, stage1Regime } from '../../src/vmsa/regime.ts';
import type { WalkResult } from '../../src/vmsa/types.ts';
import { walk } from '../../src/vmsa/walk.ts';
import { given } from '../given.ts';
import { qemuMachine } from '../harness/boot-setup.ts';
import { membersOf } from './play-board.ts';
import { speltOutTables } from './spelt-out-tables.ts';

/** Where a guest stops, with the machine stopped there. */
type Work<Result> = (vm: VirtualMachine) => Promise<Result>;

/**
 * Lets a guest run until it comes to a function of its kernel for the first time, and hands it over.
 * The command line must hold nokaslr.
 */
export async function guestAt<Result>(
  setup: CaseSetup,
  name: string,
  work: Work<Result>,
): Promise<Result> {
  const address = given(setup.symbols.address(name));
  return withMachine(qemuMachine(setup), {}, setup, async (vm) => {
    await vm.gdb.insertBreakpoint(address);
    await vm.gdb.resume();
    await vm.gdb.removeBreakpoint(address);
    return work(vm);
  });
}

/** What a stopped guest prints on its console once it runs on, up to and with a sign. */
export async function wordsUpTo({ console, gdb }: VirtualMachine, sign: RegExp): Promise<string> {
  const stopped = gdb.resume();
  for (let text = ''; ; text = console.text()) {
    const end = sign.exec(text);
    if (end !== null) {
      gdb.interrupt();
      await stopped;
      return text.slice(0, end.index + end[0].length);
    }
    // A crash that was asked for goes on in the crash kernel.
    if (/Kernel panic - not syncing: (?!sysrq)|^guest: .*: /m.test(text))
      throw new Error(`the guest failed: ${text.slice(-3000)}`);
    await sleep(200);
    console.poll(4 << 20);
  }
}

/** The archive that test/guest/collect-guest/init.c prints in base64. */
export async function archivePrinted(vm: VirtualMachine): Promise<Buffer> {
  const text = await wordsUpTo(vm, /archive begins[\s\S]*archive ends/);
  const [, base64 = ''] = /archive begins\s+([\s\S]*?)archive ends/.exec(text) ?? [];
  return Buffer.from(base64, 'base64');
}

/** Lets a guest run until its console says something, stops it there, and hands it over. */
export async function guestThatSays<Result>(
  setup: CaseSetup,
  sign: RegExp,
  work: Work<Result>,
): Promise<Result> {
  return withMachine(qemuMachine(setup), {}, setup, async (vm) => {
    await wordsUpTo(vm, sign);
    return work(vm);
  });
}

/** Formats of QEMU's that are tried; `raw` ones are not flattened. */
export const dumpFormats = ['elf', 'kdump-zlib', 'kdump-raw-zlib'] as const;
export type DumpFormat = (typeof dumpFormats)[number];

/**
 * QEMU's own dump of a stopped guest. A dump that QEMU writes in the background has no limit of time;
 * QEMU asserts that the thread of one is gone before the next one begins.
 */
export async function dumpMemory(
  { qmp, pid }: VirtualMachine,
  path: string,
  format: DumpFormat,
): Promise<void> {
  const threads = () => readdirSync(`/proc/${pid}/task`).length;
  const before = threads();
  const protocol = `file:${path}`;
  await qmp.execute('dump-guest-memory', { paging: false, protocol, detach: true, format });
  for (let status = 'active'; status !== 'completed' || threads() > before; ) {
    await sleep(200);
    ({ status } = (await qmp.execute('query-dump')) as { status: string });
    if (status === 'failed') throw new Error('QEMU could not write the dump');
  }
}

/** The kernel's half of the address space of a stopped guest. */
export async function walkOutside({ gdb, ram }: VirtualMachine): Promise<WalkOutside> {
  const thread = given((await gdb.threads())[0]);
  const regime = stage1Regime(await captureRegisters(gdb, thread), 'ttbr1');
  return { regime, found: walk(regime, ram) };
}

export interface WalkOutside {
  regime: Stage1Regime;
  found: WalkResult;
}

/** Holds an archive to what was walked from outside at the same moment. */
export function sameTables(t: Test, archive: Uint8Array, { regime, found }: WalkOutside): void {
  const descriptors = given(membersOf(archive).get('descriptors')).toString();
  const root = `root ${regime.rootPa.toString(16)} ${regime.rootEntries}\n`;
  t.equal(descriptors.slice(0, root.length), root);
  const read = walk(regime, speltOutTables(regime, descriptors));
  for (const what of ['leaves', 'tables', 'malformed'] as const)
    t.strictSame(read[what], found[what], what);
  // In pages of 16K a table is for 32 MiB; a kernel with few options has few leaves.
  t.ok(found.leaves.length > 20 && found.tables.length > 10, 'a whole kernel');
}
