// SPDX-License-Identifier: GPL-2.0-only
import { join } from 'node:path';
import { performance } from 'node:perf_hooks';
import { execa } from 'execa';
import { withDir } from 'tmp-promise';
import { openRam } from '../harness/emulator/ram-file.ts';
import { stage1Regime } from '../src/vmsa/regime.ts';
import type { SystemRegisters } from '../src/vmsa/types.ts';
import { walk } from '../src/vmsa/walk.ts';
import { type LinearMapFile, writeLinearMap } from './linear-map-file.ts';
import { median, quotients, type Ratio, spread } from './ratio.ts';

/**
 * Milliseconds for one RAM file, medians of each turn; each measurement opens the file and reads
 * the tables.
 */
interface WalkTimes {
  gibibytes: number;
  walk: number[];
  /**
   * The first walk of the process at this size; at 1 GiB that is before the JIT compiler has seen
   * the code.
   */
  first: number;
  /** The C walker with one pread per table, and with the file mapped. */
  cPread: number[];
  cMmap: number[];
  /**
   * The Python walker, which stands for debugger scripts such as gdb-pt-dump; empty where it did
   * not run.
   */
  python: number[];
}

const TURNS = 5;

/** Number of walks in each turn, chosen so that turns of every size take about equally long. */
const roundsOf = (gibibytes: number) => Math.ceil(112 / gibibytes);

/**
 * Measures the outside walk of page-mapped 1 and 16 GiB guests and compares it with C and Python on
 * the same RAM files.
 */
export async function benchWalk(): Promise<Ratio[]> {
  return await withDir(
    async ({ path: folder }) => {
      const walker = join(folder, 'walker');
      await execa('cc', ['-O2', '-o', walker, join(import.meta.dirname, 'walker.c')]);
      const one = await measure(writeLinearMap(join(folder, 'ram1'), 1), walker, 1, true);
      const sixteen = await measure(writeLinearMap(join(folder, 'ram16'), 16), walker, 16, false);
      for (const times of [one, sixteen]) print(times);
      return [
        { what: 'outside walk / faster C walker, 1 GiB', values: againstC(one) },
        {
          what: 'outside walk / faster C walker, 16 GiB',
          values: againstC(sixteen),
          target: { at: 'most', value: 2 },
        },
        {
          what: 'debugger script (Python stand-in) / outside walk, 1 GiB',
          values: quotients(one.python, one.walk),
          target: { at: 'least', value: 50 },
        },
      ];
    },
    { unsafeCleanup: true },
  );
}

/** The better of the two C walkers in each turn. */
function againstC({ walk: own, cPread, cMmap }: WalkTimes): number[] {
  const faster = cPread.map((time, turn) => Math.min(time, cMmap[turn] ?? Number.NaN));
  return quotients(own, faster);
}

/** The walkers take turns, so that a busy machine slows all of them equally. */
async function measure(
  file: LinearMapFile,
  walker: string,
  gibibytes: number,
  withPython: boolean,
): Promise<WalkTimes> {
  const times: WalkTimes = {
    gibibytes,
    first: timeWalk(file),
    walk: [],
    cPread: [],
    cMmap: [],
    python: [],
  };
  const rounds = roundsOf(gibibytes);
  for (let turn = 0; turn < TURNS; turn++) {
    times.walk.push(median(Array.from({ length: rounds }, () => timeWalk(file))));
    times.cPread.push(median(await timeC(file, walker, rounds, 'pread')));
    times.cMmap.push(median(await timeC(file, walker, rounds, 'mmap')));
    if (withPython) times.python.push(await timePython(file));
  }
  return times;
}

function timeWalk(file: LinearMapFile): number {
  const start = performance.now();
  const ram = openRam(file.path, file.base);
  const result = walk(stage1Regime(registers(file), 'ttbr1'), ram);
  ram.close();
  const time = performance.now() - start;
  const leaves = result.leaves.reduce((sum, run) => sum + run.size, 0) / 4096;
  check(file, leaves, result.leaves.length);
  return time;
}

/** Registers of an arm64 Linux with 4K pages and 48-bit addresses. */
function registers(file: LinearMapFile): SystemRegisters {
  return {
    TTBR0_EL1: 0n,
    TTBR1_EL1: BigInt(file.root),
    TCR_EL1: (16n << 16n) | (2n << 30n) | (5n << 32n),
    MAIR_EL1: 0xf4_0c_04_00_44_f0_ffn,
    SCTLR_EL1: 1n,
  };
}

async function timeC(
  file: LinearMapFile,
  walker: string,
  rounds: number,
  access: 'pread' | 'mmap',
): Promise<number[]> {
  const { stdout } = await execa(walker, [
    file.path,
    `${file.root - file.base}`,
    `${rounds}`,
    access,
  ]);
  return stdout.split('\n').map((line) => {
    const [nanoseconds = Number.NaN, leaves, runs] = line.split(' ').map(Number);
    check(file, leaves, runs);
    return nanoseconds / 1e6;
  });
}

async function timePython(file: LinearMapFile): Promise<number> {
  const script = join(import.meta.dirname, 'python_walker.py');
  const { stdout } = await execa('python3', [script, file.path, `${file.root - file.base}`]);
  const [seconds = Number.NaN, leaves, runs] = stdout.split(' ').map(Number);
  check(file, leaves, runs);
  return seconds * 1000;
}

/** A walker that is fast and wrong must not win. */
function check(file: LinearMapFile, leaves: number | undefined, runs: number | undefined): void {
  if (leaves !== file.leaves || runs !== file.runs) {
    throw new Error(
      `A walker found ${leaves} leaves in ${runs} runs instead of ${file.leaves} in ${file.runs}.`,
    );
  }
}

function print({ gibibytes, walk: own, first, cPread, cMmap, python }: WalkTimes): void {
  const others = `C with pread ${spread(cPread, 2)}, C with mmap ${spread(cMmap, 2)}`;
  const standIn = python.length === 0 ? '' : `, Python stand-in ${spread(python, 0)}`;
  console.log(`${gibibytes} GiB of pages, milliseconds:`);
  console.log(
    `  outside walk ${spread(own, 2)}, the first ${first.toFixed(2)}; ${others}${standIn}`,
  );
}
