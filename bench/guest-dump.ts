// SPDX-License-Identifier: GPL-2.0-only
import { readdirSync, readFileSync } from 'node:fs';
import { captureRegisters } from '../harness/boot/capture-checkpoint.ts';
import { type VirtualMachine, withMachine } from '../harness/emulator/virtual-machine.ts';
import { withMachineFolder } from '../host/scratch-directory.ts';
import { PtdiffError } from '../src/errors.ts';
import { stage1Regime } from '../src/vmsa/regime.ts';
import { walk } from '../src/vmsa/walk.ts';
import type { BenchLaboratory } from './bench-laboratory.ts';
import { machineOf } from './machine.ts';
import { median, quotients, type Ratio, spread } from './ratio.ts';

/**
 * CPU milliseconds of all threads of a process (Documentation/scheduler/sched-stats.rst: the first
 * field, in ns).
 */
function cpuMilliseconds(pid: number): number {
  return readdirSync(`/proc/${pid}/task`)
    .map(
      (thread) =>
        Number(readFileSync(`/proc/${pid}/task/${thread}/schedstat`, 'latin1').split(' ')[0]) / 1e6,
    )
    .reduce((sum, value) => sum + value, 0);
}

/**
 * Wall-clock milliseconds of the outside walk of the kernel half, registers included; several
 * times.
 */
async function walks(vm: VirtualMachine, thread: string): Promise<number[]> {
  const times: number[] = [];
  for (let round = 0; round < 9; round++) {
    const start = performance.now();
    const registers = await captureRegisters(vm.gdb, thread);
    walk(stage1Regime(registers, 'ttbr1'), vm.ram);
    times.push(performance.now() - start);
  }
  return times;
}

/** One boot of a kernel with CONFIG_PTDUMP_DEBUGFS, whose init reads the dump. */
async function measureDump(
  bench: BenchLaboratory,
  directory: string,
): Promise<{ dump: number; walk: number[] }> {
  const address = bench.kernel.symbols.address('ptdump_show');
  if (address === undefined)
    throw new PtdiffError(
      'usage',
      'The kernel has no ptdump_show(): it needs CONFIG_PTDUMP_DEBUGFS.',
    );
  const { signal } = new AbortController();
  return withMachine(machineOf(bench), {}, { directory, signal }, async (vm) => {
    const { gdb, pid } = vm;
    // The last call is the complete one: seq_read_iter() calls again with a larger buffer until the
    // dump fits.
    let dump = 0;
    let walk: number[] = [];
    await gdb.insertBreakpoint(address);
    for (;;) {
      const stop = await gdb.resume();
      if (stop.kind !== 'stopped' || stop.signal !== 5) break;
      const { pc, x30 } = await gdb.requireRegisters(stop.thread, ['pc', 'x30']);
      await gdb.removeBreakpoint(pc);
      if (pc === address) {
        await gdb.insertBreakpoint(x30);
        dump = -cpuMilliseconds(pid);
      } else {
        dump += cpuMilliseconds(pid);
        walk = await walks(vm, stop.thread);
        await gdb.insertBreakpoint(address);
      }
    }
    if (walk.length === 0) throw new PtdiffError('usage', 'The guest never read its debugfs dump.');
    return { dump, walk };
  });
}

/**
 * The time that a guest needs to write its own kernel_page_tables, in CPU time of QEMU, compared
 * with the outside walk of the same tables at the same time. The guest's dump is emulated work, and
 * that is what a user would wait for here; on hardware it would be faster.
 */
export async function benchGuestDump(bench: BenchLaboratory, rounds: number): Promise<Ratio> {
  return withMachineFolder(bench.scenario.machine, async (folder) => {
    const measured = [];
    for (let round = 0; round < rounds; round++) measured.push(await measureDump(bench, folder));
    const dumps = measured.map(({ dump }) => dump);
    const walks = measured.map(({ walk }) => median(walk));
    console.log(
      `The debugfs dump of ${bench.kernel.image.release}, scenario ${bench.scenario.name}, milliseconds:`,
    );
    console.log(`  guest's own dump ${spread(dumps, 1)}, outside walk ${spread(walks, 2)}`);
    return {
      what: "guest's own dump / outside walk",
      values: quotients(dumps, walks),
      target: { at: 'least', value: 1 },
    };
  });
}
