// SPDX-License-Identifier: GPL-2.0-only
import t from 'tap';
import { _PAGE_END, _PAGE_OFFSET } from '../../../../../src/linux/kernel-layout.ts';
import type { PhysicalRange } from '../../../../../src/linux/physical-range.ts';
import { arm64_memblock_init } from '../../../../../src/model/arch/arm64/mm/init.ts';
import { recordDerivation } from '../../../../../src/model/derivation.ts';
import { given } from '../../../../given.ts';
import { sharedGolden } from '../../../golden.ts';

const GIB = 2 ** 30;
const { traits, machine } = sharedGolden('7.3.4-4k39@max+pagealloc.json.gz').question;
/** 256 GiB with 39 bits. */
const region = { start: _PAGE_OFFSET(39), end: _PAGE_END(39) };

/** What a machine with these ranges of memory gives, and what the derivation says. */
function memblock(
  memory: PhysicalRange[],
  {
    random,
    imageEnd = given(memory[0]).start + 2 ** 26,
    holes = [],
  }: {
    random?: { trait: boolean; kaslr: boolean; at?: number };
    imageEnd?: number;
    holes?: PhysicalRange[];
  } = {},
) {
  const { steps, why } = recordDerivation();
  const sized = (ranges: PhysicalRange[]) =>
    ranges.map(({ start, end }) => ({ start, size: end - start }));
  const outcome = arm64_memblock_init(
    {
      traits: { ...traits, randomLinearMap: random?.trait ?? false },
      machine: { ...machine, nodes: [sized(memory)], holes: sized(holes) },
      kaslr: random?.kaslr ?? false,
      imageEnd: () => imageEnd,
      facts:
        random?.at === undefined ? {} : { memstartAddr: BigInt.asUintN(64, BigInt(random.at)) },
    },
    region,
    why,
  );
  return { ...outcome, said: steps.map((step) => step.outcome) };
}

t.test('memstart_addr is where memory begins, rounded down to ARM64_MEMSTART_ALIGN', async (t) => {
  const at = (start: number) => memblock([{ start, end: 4 * GIB }]).physBase;
  t.equal(at(GIB), GIB);
  t.equal(at(GIB + 2 ** 21), GIB, 'PUD_SIZE with 4K pages');
  t.equal(at(2 * GIB - 2 ** 21), GIB);
});

t.test('memory of which a part does not fit the linear region is cut there', async (t) => {
  const low = { start: GIB, end: 2 * GIB };
  const beyond = { start: 256 * GIB, end: 258 * GIB };
  const { memory, said } = memblock([low, beyond]);
  t.same(memory, [low, { start: 256 * GIB, end: 257 * GIB }]);
  t.match(said[0], /^memory from 0x4040000000 on does not fit the linear region$/);
});

t.test('what a hole hides is memory for memstart_addr', async (t) => {
  const low = { start: GIB, end: GIB + 2 ** 25 };
  const high = { start: 3 * GIB, end: 4 * GIB };
  const { physBase, memory, ...sizes } = memblock([low, high], { holes: [low] });
  t.equal(physBase, GIB);
  t.same(memory, [high]);
  t.match(sizes, { startOfDram: GIB, endOfDram: 4 * GIB, physMemSize: GIB + 2 ** 25 });
});

t.test('a kernel that lies high keeps its memory, and what lies too low is cut off', async (t) => {
  const low = { start: GIB, end: 2 * GIB };
  const high = { start: 300 * GIB, end: 302 * GIB };
  const imageEnd = 301 * GIB;
  const { physBase, memory, startOfDram, endOfDram, said } = memblock([low, high], { imageEnd });
  t.equal(physBase, 45 * GIB, '256 GiB below the end of the kernel');
  t.same(memory, [{ start: 300 * GIB, end: imageEnd }], 'all behind the kernel is cut off, too');
  t.same([startOfDram, endOfDram], [300 * GIB, imageEnd]);
  t.match(said[0], /^memory from 0x4b40000000 on does not fit/);
  t.match(said[1], /^memory below 0xb40000000 does not fit the linear region$/);
  const inside = memblock([low, { start: 256 * GIB, end: 258 * GIB }], { imageEnd: 256 * GIB });
  t.equal(inside.physBase, GIB, 'where the region reaches it from the start of memory');
});

t.test(
  'where the linear map is random, the boot tells: to 6.15, with KASLR, and else not',
  async (t) => {
    const memory = [{ start: GIB, end: 2 * GIB }];
    const at = -5 * GIB;
    const base = (trait: boolean, kaslr: boolean) =>
      memblock(memory, { random: { trait, kaslr, at } }).physBase;
    t.equal(base(true, true), at);
    t.equal(base(true, false), GIB, 'without KASLR it is not');
    t.equal(base(false, true), GIB, 'since 6.16 it is not');
    const untold = memblock(memory, { random: { trait: true, kaslr: true } });
    t.equal(untold.physBase, GIB, 'what the boot has not told is as it is without');
  },
);
