// SPDX-License-Identifier: GPL-2.0-only
import t from 'tap';
import { geometryOf } from '../../../../../src/linux/geometry.ts';
import type { KernelTraits } from '../../../../../src/linux/kernel-traits.ts';
import {
  MT_DEVICE_nGnRE,
  MT_NORMAL,
  MT_NORMAL_NC,
  MT_NORMAL_TAGGED,
  PTE_AF,
  PTE_ATTRINDX,
  PTE_CONT,
  PTE_DIRTY,
  PTE_NG,
  PTE_PXN,
  PTE_RDONLY,
  PTE_TYPE_PAGE,
  PTE_UXN,
  PTE_VALID,
  PTE_WRITE,
} from '../../../../../src/linux/pgprot.ts';
import {
  __create_pgd_mapping,
  NO_BLOCK_MAPPINGS,
  NO_CONT_MAPPINGS,
} from '../../../../../src/model/arch/arm64/mm/mmu-create.ts';
import { PredictedBug } from '../../../../../src/model/bug.ts';
import { LinearMap } from '../../../../../src/model/linear-map.ts';
import { given } from '../../../../given.ts';
import { sharedGolden } from '../../../golden.ts';

const traitsOf = (name: string) => sharedGolden(`${name}.json.gz`).question.traits;
const newest = traitsOf('7.3.4+deb13-arm64@cortex-a76+kaslr');
/** A kernel before 05c5c31e9d8d (7.2). */
const before72 = traitsOf('6.18.15+deb13-arm64@cortex-a76+kaslr');

const geometry = geometryOf(4096);
const { granule, CONT_PTE_SIZE, PMD_SIZE, CONT_PMD_SIZE } = geometry;
const normal = PTE_TYPE_PAGE | PTE_AF | PTE_UXN | PTE_WRITE | PTE_ATTRINDX(MT_NORMAL);
const readOnly = (normal & ~PTE_WRITE) | PTE_RDONLY;
const ofType = (type: number) => (normal & ~PTE_ATTRINDX(7)) | PTE_ATTRINDX(type);
/** A block's descriptor, which has bit 1 clear. */
const asBlock = (attributes: bigint) => attributes & ~2n;

/** What the first bytes of memory are mapped as, one call after the other. */
interface Call {
  prot: bigint;
  size: number;
  flags?: number;
}

/** Attributes of the entry that translates the first byte in the end; 'BUG' where the kernel stops. */
function mapped(traits: KernelTraits, ...calls: Call[]): bigint | 'BUG' {
  const map = new LinearMap(geometry, 39, 0n, 0);
  try {
    for (const { prot, size, flags = 0 } of calls)
      __create_pgd_mapping(map, traits, 0, size, prot, flags, true);
  } catch (error) {
    if (error instanceof PredictedBug) return 'BUG';
    throw error;
  }
  let table = map.root;
  while (table.tables.has(0)) table = given(table.tables.get(0));
  return map.attributes(map.entry(table, 0));
}

const page = (prot: bigint): Call => ({ prot, size: granule });

t.test('pgattr_change_is_safe(): what a live page may become', async (t) => {
  const invalid = ofType(MT_DEVICE_nGnRE) & ~PTE_VALID;
  const changes: [name: string, old: bigint, next: bigint, isSafe: boolean][] = [
    ['what is not valid may become anything', invalid, normal, true],
    ['a mapping may be taken down', normal, invalid, true],
    ['it may stay', normal, normal, true],
    ['it may lose its write permission', normal, readOnly, true],
    ['it may get it', readOnly, normal, true],
    ['it may become privileged execute-never', normal, normal | PTE_PXN, true],
    ['not unprivileged execute-never', normal & ~PTE_UXN, normal, false],
    ['software bits do not count', normal, normal | PTE_DIRTY, true],
    ['the access flag does', normal & ~PTE_AF, normal, false],
    ['a global page may become non-global', normal, normal | PTE_NG, true],
    ['not the other way round', normal | PTE_NG, normal, false],
    ['Normal memory may become Tagged', normal, ofType(MT_NORMAL_TAGGED), true],
    ['and back', ofType(MT_NORMAL_TAGGED), normal, true],
    ['not a device', normal, ofType(MT_DEVICE_nGnRE), false],
    ['nor a device Normal memory', ofType(MT_DEVICE_nGnRE), normal, false],
    ['nor a device Tagged', ofType(MT_DEVICE_nGnRE), ofType(MT_NORMAL_TAGGED), false],
    ['nor Tagged memory non-cacheable', ofType(MT_NORMAL_TAGGED), ofType(MT_NORMAL_NC), false],
  ];
  for (const traits of [newest, before72])
    for (const [name, old, next, isSafe] of changes)
      t.equal(
        mapped(traits, page(old), page(next)),
        isSafe ? next : 'BUG',
        `${traits.generation}: ${name}`,
      );
});

t.test('each page of a range is compared: what is behind a hole, too', async (t) => {
  const map = new LinearMap(geometry, 39, 0n, 0);
  const create = (first: number, pages: number, prot: bigint) =>
    __create_pgd_mapping(map, newest, first * granule, (first + pages) * granule, prot, 0, true);
  create(0, 1, normal);
  create(2, 1, normal | PTE_NG);
  t.throws(() => create(0, 3, readOnly), /BUG_ON\(!pgattr_change_is_safe\) in init_pte\(\)/);
  t.doesNotThrow(() => create(0, 3, readOnly | PTE_NG));
});

t.test('a contiguous mapping may be changed as a whole since 7.2, not at all before', async (t) => {
  const groups = [
    { name: 'of pages', size: CONT_PTE_SIZE, flags: NO_BLOCK_MAPPINGS, as: (bits: bigint) => bits },
    { name: 'of blocks', size: CONT_PMD_SIZE, flags: 0, as: asBlock },
  ];
  for (const { name, size, flags, as } of groups) {
    const twice = (traits: KernelTraits, prot: bigint) =>
      mapped(traits, { prot: normal, size, flags }, { prot, size, flags });
    t.equal(twice(newest, readOnly), as(readOnly | PTE_CONT), name);
    t.equal(twice(before72, readOnly), 'BUG', name);
    t.equal(twice(before72, normal), 'BUG', `${name}, and it stays what it is`);
  }
});

t.test('what is mapped by single leaves does not become contiguous', async (t) => {
  const pages = (traits: KernelTraits) =>
    mapped(
      traits,
      { prot: normal, size: CONT_PTE_SIZE, flags: NO_BLOCK_MAPPINGS | NO_CONT_MAPPINGS },
      { prot: readOnly, size: CONT_PTE_SIZE, flags: NO_BLOCK_MAPPINGS },
    );
  t.equal(pages(newest), readOnly);
  t.equal(pages(before72), 'BUG', 'before 7.2 the kernel tries, and stops');
  const blocks = (traits: KernelTraits) =>
    mapped(
      traits,
      { prot: normal, size: CONT_PMD_SIZE, flags: NO_CONT_MAPPINGS },
      { prot: readOnly, size: CONT_PMD_SIZE },
    );
  t.equal(blocks(newest), asBlock(readOnly));
  t.equal(blocks(before72), asBlock(normal), 'pmd_set_huge() refuses, and nobody asks');
});

t.test('pmd_set_huge() leaves a block as it is where the change is not safe', async (t) => {
  const twice = (prot: bigint) =>
    mapped(newest, { prot: normal, size: PMD_SIZE }, { prot, size: PMD_SIZE });
  t.equal(twice(ofType(MT_DEVICE_nGnRE)), asBlock(normal));
  t.equal(twice(readOnly), asBlock(readOnly));
});

t.test('BUG_ON(pmd_leaf()): no table is made where a block is', async (t) => {
  const block = { prot: normal, size: PMD_SIZE };
  for (const traits of [newest, before72]) t.equal(mapped(traits, block, page(normal)), 'BUG');
  t.throws(() => {
    const map = new LinearMap(geometry, 39, 0n, 0);
    for (const size of [PMD_SIZE, granule])
      __create_pgd_mapping(map, newest, 0, size, normal, 0, true);
  }, new PredictedBug('BUG_ON(leaf) in alloc_init_cont_pte()'));
});

t.test(
  'pte_range_has_valid_noncont(): invalid pages do not keep a group from 7.2 on',
  async (t) => {
    const singles = (prot: bigint) => ({
      ...{ prot, size: CONT_PTE_SIZE, flags: NO_BLOCK_MAPPINGS | NO_CONT_MAPPINGS },
    });
    const group = { prot: normal, size: CONT_PTE_SIZE, flags: NO_BLOCK_MAPPINGS };
    t.equal(mapped(newest, singles(normal & ~PTE_VALID), group), normal | PTE_CONT);
    t.equal(mapped(newest, singles(normal), group), normal);
  },
);
