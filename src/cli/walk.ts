// SPDX-License-Identifier: GPL-2.0-only
import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { captureRegisters } from '../../harness/boot/capture-checkpoint.ts';
import { GdbClient } from '../../harness/emulator/gdb.ts';
import { openRam, type RamFile } from '../../harness/emulator/ram-file.ts';
import { within } from '../../host/deadline.ts';
import { requireRegular, whyUnreadable } from '../../host/read-file.ts';
import { messageOf, PtdiffError } from '../errors.ts';
import { formatPtdump } from '../linux/format-ptdump.ts';
import { kernelRegions } from '../linux/kernel-regions.ts';
import { type Stage1Regime, stage1Regime } from '../vmsa/regime.ts';
import { walk } from '../vmsa/walk.ts';
import type { Verb } from './verb.ts';

/** Options of `ptdiff walk`, as typed. */
interface WalkOptions {
  ram: string;
  gdb: string;
  base: string;
  half: string;
  cpu: string;
}

/** A unix socket by its path, or a TCP port as HOST:PORT. */
async function dial(address: string): Promise<Socket> {
  const tcp = /^([^/]*):(\d+)$/.exec(address);
  const socket = tcp ? connect(Number(tcp[2]), tcp[1] || 'localhost') : connect(address);
  try {
    await once(socket, 'connect');
    return socket;
  } catch (error) {
    const what = `Nothing answers as a GDB stub at ${address} (${messageOf(error)})`;
    throw new PtdiffError(
      'usage',
      `${what}; start QEMU with -gdb unix:PATH,server=on,wait=off or -gdb tcp::PORT.`,
      {
        cause: error,
      },
    );
  }
}

/** A stub responds at once, even on a busy host. */
const greetingMilliseconds = 20_000;

async function greet(address: string): Promise<GdbClient> {
  const socket = await dial(address);
  const silence = `The QEMU at ${address} is stopped (SIGSTOP) or has another debugger: its GDB stub did not answer`;
  return within(greetingMilliseconds, silence, GdbClient.open(socket)).catch((error) => {
    socket.destroy();
    throw error;
  });
}

function numberOf(text: string, option: string): number {
  const value = Number(text);
  if (Number.isSafeInteger(value) && value >= 0) return value;
  throw new PtdiffError('usage', `${option} must be a number, not '${text}'.`);
}

/**
 * The registers come from the machine and the tables from the file; the first table shows whether
 * the two belong together.
 * @throws PtdiffError(usage) where they do not
 */
async function requireSameMachine(
  {
    regime,
    thread,
    gdb,
    ram,
  }: { regime: Stage1Regime; thread: string; gdb: GdbClient; ram: RamFile },
  options: WalkOptions,
): Promise<void> {
  if (regime.notWalked !== undefined) return;
  const { rootPa, rootEntries } = regime;
  // Fits into one packet of the stub.
  const bytes = Math.min(rootEntries * 8, 1024);
  const table = `the first table of ${options.half.toUpperCase()}_EL1, at 0x${rootPa.toString(16)},`;
  const advice = 'check --ram and --base';
  if (!ram.contains(rootPa, rootEntries * 8)) {
    const end = numberOf(options.base, '--base') + ram.size;
    const range = `0x${Number(options.base).toString(16)} to 0x${end.toString(16)}`;
    throw new PtdiffError(
      'usage',
      `${options.ram} contains the RAM from ${range}, and ${table} is outside it; ${advice}.`,
    );
  }
  const actual = await gdb.peekPhysical(thread, rootPa, bytes);
  if (actual?.equals(ram.read(rootPa, bytes))) return;
  throw new PtdiffError(
    'usage',
    `${options.ram} does not contain ${table} as the machine has it; ${advice}.`,
  );
}

/**
 * `ptdiff walk`: stops the guest while it reads registers and tables, prints the walk like the
 * kernel's ptdump, and lets the guest continue.
 */
async function walkCommand(options: WalkOptions): Promise<number> {
  const base = numberOf(options.base, '--base');
  const cpu = numberOf(options.cpu, '--cpu');
  const { half } = options;
  if (half !== 'ttbr0' && half !== 'ttbr1')
    throw new PtdiffError('usage', `--half is ttbr0 or ttbr1, not '${half}'.`);
  await requireRegular(options.ram).catch((error) => {
    throw new PtdiffError(
      'usage',
      `Cannot read the RAM file ${options.ram}: ${whyUnreadable(error)}.`,
      {
        cause: error,
      },
    );
  });
  const ram = openRam(options.ram, base);
  const gdb = await greet(options.gdb);
  try {
    const threads = await gdb.threads();
    const thread = threads[cpu];
    if (thread === undefined)
      throw new PtdiffError('usage', `There is no CPU ${cpu}; the machine has ${threads.length}.`);
    const regime = stage1Regime(await captureRegisters(gdb, thread), half);
    await requireSameMachine({ regime, thread, gdb, ram }, options);
    const regions = half === 'ttbr1' ? kernelRegions(regime.inputBits, regime.granule) : [];
    for (const line of formatPtdump(regime, walk(regime, ram), regions))
      process.stdout.write(`${line}\n`);
    return 0;
  } finally {
    await gdb.detach();
    ram.close();
  }
}

export const addWalk: Verb = (command, { finish }) => {
  command
    .requiredOption(
      '--ram <file>',
      "the guest's RAM: mem-path of its memory-backend-file (share=on)",
    )
    .requiredOption('--gdb <socket>', "its GDB stub: a unix socket's path, or HOST:PORT")
    .option('--base <address>', 'physical address of the first byte of the file', '0x40000000')
    .option('--half <ttbr>', 'ttbr1 (kernel) or ttbr0 (user)', 'ttbr1')
    .option('--cpu <n>', 'index of the CPU whose registers are used', '0')
    .action(async (options) => finish(await walkCommand(options)));
};
