// SPDX-License-Identifier: GPL-2.0-only
import { Argument } from 'commander';
import { say } from '../../host/say.ts';
import { PtdiffError } from '../errors.ts';
import { changeParagraphs, kernelChangeRows } from '../report/change-table.ts';
import { formatMebibytes } from '../report/units.ts';
import { builtInScenarios } from '../scenario/built-in.ts';
import { cpus } from '../scenario/cpus.ts';
import type { Verb } from './verb.ts';

/** Lines of a table: every column except the last is as wide as its widest cell. */
export function table(rows: string[][]): string[] {
  const widths =
    rows[0]?.map((_, column) => Math.max(...rows.map((row) => row[column]?.length ?? 0))) ?? [];
  return rows.map((row) =>
    row
      .map((cell, column) => cell.padEnd(widths[column] ?? 0))
      .join('  ')
      .trimEnd(),
  );
}

/** Rows of each list, its headings first. */
const listings = {
  kernels: async () => {
    // Loaded on demand: the other lists need neither archive nor network.
    const { listKernels } = await import('../../images/kernels.ts');
    const kernels = await listKernels({ progress: say });
    const rows = kernels.map(({ spec, version, suite, bytes, cached }) => [
      spec,
      version,
      suite,
      cached ? 'cached' : formatMebibytes(bytes),
    ]);
    return [['KERNEL', 'PACKAGE', 'SUITE', 'MIB TO FETCH'], ...rows];
  },
  scenarios: async () => [
    ['SCENARIO', 'BOOT CPU', 'CPUS', 'MEMORY'],
    ...builtInScenarios.map(({ name, machine }) => [
      name,
      machine.cpu,
      `${machine.cpus}`,
      `${machine.memory} MiB`,
    ]),
  ],
  cpus: async () => [
    ['CPU', 'MIDR_EL1', 'QEMU', 'WHAT IT SHOWS'],
    ...cpus.map(({ name, midr, qemu, about }) => [name, `0x${midr.toString(16)}`, qemu, about]),
  ],
  fragments: async () => {
    const { listFragments } = await import('../../images/source/config-fragments.ts');
    return [
      ['FRAGMENT', 'OPTIONS'],
      ...(await listFragments()).map(({ name, options }) => [name, options]),
    ];
  },
};

/** What `ptdiff ls` can list. */
const listable = [...Object.keys(listings), 'changes'] as (keyof typeof listings | 'changes')[];

/**
 * The rules of the kernel that changed; for one kernel, which of them it has, and how that is
 * known.
 * @throws PtdiffError of loadKernel()
 */
async function changeLines(kernel: string | undefined, signal: AbortSignal): Promise<string[]> {
  if (kernel === undefined) return changeParagraphs();
  const { loadKernel } = await import('../../harness/laboratory/loaded-kernel.ts');
  const { changesOf } = await import('../model/changes.ts');
  const { traits, assumptions, notKnown } = await loadKernel(kernel, { progress: say, signal });
  for (const text of notKnown) say(`Of this kernel cannot be told ${text}.`);
  return table(kernelChangeRows(changesOf(traits, assumptions)));
}

/** `ptdiff ls kernels|scenarios|cpus|fragments|changes`. */
async function list(
  what: (typeof listable)[number],
  kernel: string | undefined,
  signal: AbortSignal,
): Promise<number> {
  if (kernel !== undefined && what !== 'changes')
    throw new PtdiffError('usage', `--kernel belongs to 'ls changes'; 'ls ${what}' takes none.`);
  const lines =
    what === 'changes' ? await changeLines(kernel, signal) : table(await listings[what]());
  process.stdout.write(lines.map((line) => `${line}\n`).join(''));
  return 0;
}

export const addList: Verb = (command, { finish, signal }) => {
  command
    .addArgument(new Argument('<what>').choices(listable))
    .option('--kernel <spec>', 'which of the changes a kernel has; named as for run')
    .action(async (what, { kernel }) => finish(await list(what, kernel, signal)));
};
