// SPDX-License-Identifier: GPL-2.0-only
import fc from 'fast-check';
import t from 'tap';
import {
  childNode,
  type DeviceTree,
  type FdtNode,
  parseFdt,
  serialiseFdt,
  setProperty,
} from '../../src/linux/fdt.ts';

const name = fc.string({ unit: fc.constantFrom(...'abcxyz,@-#019'), minLength: 1, maxLength: 12 });
const property = fc.record({ name, value: fc.uint8Array({ maxLength: 20 }) });
const properties = fc.array(property, { maxLength: 4 });
const { node } = fc.letrec<{ node: FdtNode }>((tie) => ({
  node: fc.oneof(
    { maxDepth: 3 },
    fc.record({ name, properties, children: fc.constant<FdtNode[]>([]) }),
    fc.record({ name, properties, children: fc.array(tie('node'), { maxLength: 3 }) }),
  ),
}));
const cell = fc.bigInt({ min: 1n, max: 2n ** 64n - 1n });
const tree: fc.Arbitrary<DeviceTree> = fc.record({
  root: node.map((root) => ({ ...root, name: '' })),
  reservations: fc.array(fc.record({ address: cell, size: cell }), { maxLength: 3 }),
  bootCpu: fc.nat(),
});

const plain = (value: unknown) =>
  JSON.stringify(value, (_key, value) => (typeof value === 'bigint' ? String(value) : value));

t.test('reads what it wrote', (t) => {
  fc.assert(fc.property(tree, (tree) => plain(parseFdt(serialiseFdt(tree))) === plain(tree)));
  t.end();
});

t.test('a tree that is cut short is refused, never read beyond its end', (t) => {
  fc.assert(
    fc.property(tree, fc.double({ min: 0, max: 1, noNaN: true }), (tree, part) => {
      const blob = serialiseFdt(tree);
      const cut = blob.slice(0, Math.floor(part * (blob.length - 1)));
      try {
        // What is cut off may be names alone that no property uses any more; then the tree is
        // whole.
        return plain(parseFdt(cut)) === plain(tree);
      } catch (error) {
        return (error as { fault?: string }).fault === 'emulator';
      }
    }),
  );
  t.end();
});

t.test('a header as the specification has it (5.2)', (t) => {
  const root: FdtNode = { name: '', properties: [], children: [] };
  setProperty(childNode(root, 'chosen'), 'x', Uint8Array.of(1));
  setProperty(childNode(root, 'chosen'), 'x', Uint8Array.of(2, 3));
  const words = [
    ...new Uint32Array(serialiseFdt({ root, reservations: [], bootCpu: 0 }).slice(0, 40).buffer),
  ];
  const swap = (word: number) =>
    ((word >>> 24) | ((word >>> 8) & 0xff00) | ((word << 8) & 0xff0000) | (word << 24)) >>> 0;
  // Structure: root (8), chosen (12), property (16), two ends (8), end (4); strings: 'x' (2).
  t.same(words.map(swap), [0xd00dfeed, 56 + 48 + 2, 56, 56 + 48, 40, 17, 16, 0, 2, 48]);
  t.end();
});
