// SPDX-License-Identifier: GPL-2.0-only
import t from 'tap';
import { Assumptions } from '../../src/linux/assumptions.ts';
import { brokenDbmOf, everyBrokenDbm } from '../../src/linux/broken-dbm.ts';
import { SymbolTable } from '../../src/linux/symbol-table.ts';

const a55 = { model: 0x410fd050, from: 0, to: 0xf0000f };

/**
 * What is read of an Image with these words of 32 bits at each symbol, and whether it is assumed.
 */
function read(...places: [name: string, words: number[]][]) {
  const symbols = new SymbolTable({
    names: ['_text', ...places.map(([name]) => name)],
    types: new Uint8Array(places.length + 1).fill(0x72),
    offsets: Float64Array.from([0, ...places.map((_, index) => 0x40 * (index + 1))]),
    textBase: 0xffff800080000000n,
  });
  const image = new Uint8Array(0x40 * (places.length + 2));
  for (const [index, [, words]] of places.entries())
    image.set(new Uint8Array(Uint32Array.from(words).buffer), 0x40 * (index + 1));
  const assumptions = new Assumptions();
  const list = brokenDbmOf(image, symbols, assumptions);
  return { list, assumed: assumptions.list.length > 0 };
}

const words = [a55.model, a55.from, a55.to];

t.test('the list has the name cpus, however a compiler makes it unique', async (t) => {
  for (const name of ['cpus', 'cpus.4', 'cpu_has_broken_dbm.cpus', 'cpu_has_broken_dbm.cpus.1'])
    t.strictSame(read([name, words]), { list: [a55], assumed: false }, name);
  t.strictSame(read(['cpus.4', []]), { list: [], assumed: false }, 'built without these errata');
  t.strictSame(read(['cpus.1', []], ['cpus.4', words]).list, [a55], 'not the empty one');
});

t.test('of a kernel that hides it, all are assumed', async (t) => {
  for (const name of ['cpus_of_another', 'bigcpus', 'cpus.4.cold'])
    t.strictSame(read([name, words]), { list: everyBrokenDbm, assumed: true }, name);
  const other = read(['cpus.4', [7, 8, 9]]);
  t.strictSame(other, { list: everyBrokenDbm, assumed: true }, 'something else of that name');
});
