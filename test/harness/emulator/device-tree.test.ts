// SPDX-License-Identifier: GPL-2.0-only
import t from 'tap';
import { replaceMemory } from '../../../harness/emulator/device-tree.ts';
import {
  childNode,
  type DeviceTree,
  fdtCells,
  parseFdt,
  serialiseFdt,
  setProperty,
} from '../../../src/linux/fdt.ts';
import { given } from '../../given.ts';

t.test("memory nodes take the place of QEMU's one", async (t) => {
  const tree: DeviceTree = {
    root: { name: '', properties: [], children: [] },
    reservations: [],
    bootCpu: 0,
  };
  setProperty(childNode(tree.root, 'memory@40000000'), 'reg', fdtCells(0x4000_0000n, 0x4000_0000n));
  childNode(tree.root, 'memory-controller');
  replaceMemory(tree, [
    [{ start: 0x4000_0000, size: 0x1000 }],
    [
      { start: 0x8_0000_0000, size: 0x2000 },
      { start: 0x9000_0000, size: 0x3000 },
    ],
  ]);
  const { root } = parseFdt(serialiseFdt(tree));
  t.same(
    root.children.map(({ name }) => name),
    ['memory-controller', 'memory@40000000', 'memory@800000000'],
  );
  const value = (node: number, name: string) =>
    given(root.children[node]).properties.find((each) => each.name === name)?.value;
  t.same(value(1, 'device_type'), new TextEncoder().encode('memory\0'));
  t.same(value(2, 'reg'), fdtCells(0x8_0000_0000n, 0x2000n, 0x9000_0000n, 0x3000n));
});
