// SPDX-License-Identifier: GPL-2.0-only
import { readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { execa } from 'execa';
import t from 'tap';
import { boot } from '../../../harness/boot/boot.ts';
import { placeFiles } from '../../../harness/boot/place-files.ts';
import { deviceTreeCommand } from '../../../harness/emulator/qemu-command.ts';
import { childNode, fdtCells, parseFdt } from '../../../src/linux/fdt.ts';
import type { Machine } from '../../../src/scenario/types.ts';
import { given } from '../../given.ts';
import { qemuMachine, realSetup } from '../boot-setup.ts';

const MiB = 2 ** 20;
const RAM = 0x4000_0000;
const hole = (start: number, size: number) => ({ start: RAM + start * MiB, size });

t.test('QEMU loads the RAM disk where the scenario must have memory', async (t) => {
  const setup = await realSetup(t, 'debian:7.3');
  const bytes = statSync(setup.initramfs).size;
  for (const memory of [128, 129, 250, 1024]) {
    const machine: Machine = { ...setup.machine, memory };
    const path = join(t.testdir(), 'dtb');
    const [command, ...words] = deviceTreeCommand(qemuMachine({ ...setup, machine }), path);
    await execa(given(command), words);
    const { properties } = childNode(parseFdt(readFileSync(path)).root, 'chosen');
    const value = (name: string) => properties.find((each) => each.name === name)?.value;
    const { initramfs } = placeFiles({ ...setup, machine });
    t.same(value('linux,initrd-start'), fdtCells(BigInt(initramfs)), `of ${memory} MiB`);
    t.same(value('linux,initrd-end'), fdtCells(BigInt(initramfs + bytes)));
  }
});

t.test('a kernel boots between holes all around what is loaded', async (t) => {
  const setup = await realSetup(t, 'debian:7.3', { depth: 'early' });
  const holes = [hole(0, 2 * MiB), hole(62, 66 * MiB), hole(132, 4096)];
  const { captures } = await boot({ ...setup, machine: { ...setup.machine, holes } });
  const hidden = given(captures[0]).memblock?.filter(({ flags }) => flags === 4);
  t.same(
    hidden?.map(({ start, end }) => ({ start, size: end - start })),
    holes,
  );
});

t.test('a scenario without room for a kernel is refused with the sizes', async (t) => {
  const setup = await realSetup(t, 'debian:7.3');
  const machine: Machine = { ...setup.machine, holes: [hole(30, 4096)] };
  await t.rejects(boot({ ...setup, machine }), {
    fault: 'usage',
    message: /no place for the kernel \(\d+ MiB\), its RAM disk \(1 MiB\).*, or a firmware/,
  });
});
