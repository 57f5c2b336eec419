// SPDX-License-Identifier: GPL-2.0-only
import { Argument } from 'commander';
import { say } from '../../host/say.ts';
import { formatMebibytes } from '../report/units.ts';
import { builtInScenarios } from '../scenario/built-in.ts';
import { cpus } from '../scenario/cpus.ts';
import type { Verb } from './verb.ts';

/** Lines of a table: every column but the last as wide as its widest cell. */
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
    // Loaded where it is needed: the other lists need neither archive nor network.
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
const listable = Object.keys(listings) as (keyof typeof listings)[];

/** `ptdiff ls kernels|scenarios|cpus|fragments`. */
async function list(what: keyof typeof listings): Promise<number> {
  const rows = await listings[what]();
  process.stdout.write(
    table(rows)
      .map((line) => `${line}\n`)
      .join(''),
  );
  return 0;
}

export const addList: Verb = (command, { finish }) => {
  command
    .addArgument(new Argument('<what>').choices(listable))
    .action(async (what) => finish(await list(what)));
};
