// SPDX-License-Identifier: GPL-2.0-only
/** Kernels that no archive has and that take long to build, as far as judge asks for them. */

import { join } from 'node:path';
import type { LoadedKernel } from '../../../../harness/laboratory/loaded-kernel.ts';
import { capturedVariables } from '../../../../src/linux/variables.ts';
import { stableJson } from '../../../../src/stable-json.ts';
import { readFixture } from '../../../fixture.ts';
import { tableOf } from '../../../linux/slices.ts';

interface RecordedKernel {
  schema: 1;
  /** How it was built; the rest of its description. */
  kernel: Omit<LoadedKernel, 'symbols'>;
  textBase: string;
  /** Name and distance from _text of each symbol, ascending. */
  symbols: [name: string, offset: number][];
}

const asked = [
  ...['_text', '_stext', '_etext', '__start_rodata', '__init_begin', '__init_end', '_data'],
  ...['__bss_stop', '_end', 'swapper_pg_dir', 'tramp_pg_dir'],
  ...Object.keys(capturedVariables),
];

/** Where a kernel is recorded, by its release. */
export const recordedKernelPath = (release: string): string =>
  join(import.meta.dirname, '../../../evidence/fixtures', `kernel-${release}.json.gz`);

/** A kernel's recording, as text. */
export function kernelRecording({ symbols, ...kernel }: LoadedKernel): string {
  const { configPath: _, ...image } = { ...kernel.image, imagePath: 'not recorded' };
  const found = asked.flatMap((name): RecordedKernel['symbols'] => {
    const address = symbols.address(name);
    return address === undefined ? [] : [[name, Number(address - symbols.textBase)]];
  });
  const recording: RecordedKernel = {
    schema: 1,
    kernel: { ...kernel, image },
    textBase: String(symbols.textBase),
    symbols: found.sort(([, one], [, other]) => one - other),
  };
  return stableJson(recording);
}

export function recordedKernel(release: string): LoadedKernel {
  const path = recordedKernelPath(release);
  const { kernel, symbols, textBase } = readFixture<RecordedKernel>(path, 1);
  return { ...kernel, symbols: tableOf(symbols, BigInt(textBase)) };
}
