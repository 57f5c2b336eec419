// SPDX-License-Identifier: GPL-2.0-only
import t from 'tap';
import { PMD_TABLE_BIT, PTE_CONT, PTE_RDONLY, PTE_WRITE } from '../../src/linux/pgprot.ts';
import { PredictedBug } from '../../src/model/bug.ts';
import {
  type Booted,
  call,
  EINVAL,
  FIXADDR_TOP,
  LINEAR,
  newest,
  PAGE,
  pageKernel,
  RAM,
  run,
  stored,
  until617,
} from './one-call.ts';

t.test('update_mapping_prot() flushes what it changed', async (t) => {
  const readOnly = (pageKernel & ~PTE_WRITE) | PTE_RDONLY;
  const args = [RAM + 2n * PAGE, LINEAR + 2n * PAGE, 2n * PAGE, readOnly];
  for (const kernel of [until617, newest])
    t.same(
      call(kernel, 'update_mapping_prot', ...args),
      {
        lines: ['page linear 2', 'page linear 3', 'flush linear 2 to linear 4'],
        answer: undefined,
      },
      kernel.golden,
    );
});

t.test('__create_pgd_mapping(): what it allocates, refuses and returns', async (t) => {
  const create = (kernel: Booted, phys: bigint, virt: bigint, alloc: bigint) =>
    call(kernel, '__create_pgd_mapping', LINEAR, phys, virt, PAGE, pageKernel, alloc, 0n);
  const [mapped, allocator] = [LINEAR + 20n * PAGE, 0xffff_8000_8000_0000n];
  const phys = RAM + 20n * PAGE;
  t.same(create(newest, phys, mapped, 0n), { lines: ['page linear 20'], answer: 0 });
  t.same(
    create(until617, phys, mapped, 0n),
    { lines: ['page linear 20'], answer: undefined },
    'up to 6.17 it returns nothing',
  );
  t.same(
    create(newest, phys + 1n, mapped, 0n),
    { lines: [], answer: -EINVAL },
    'addresses with other offsets in their pages cannot be mapped to each other',
  );
  t.same(create(until617, phys + 1n, mapped, 0n), { lines: [], answer: undefined });
  const beyond = LINEAR + 512n * PAGE;
  t.same(create(newest, phys, beyond, allocator), {
    lines: ['table linear 512', 'page linear 512'],
    answer: 0,
  });
  t.throws(
    () => create(newest, phys, beyond, 0n),
    new PredictedBug('BUG_ON(!pgtable_alloc) in alloc_init_cont_pte()'),
    'without an allocator a missing table is a bug',
  );
});

t.test(
  'create_mapping_noalloc() makes contiguous leaves since 7.2: NO_CONT_MAPPINGS before',
  async (t) => {
    // The rest of the table that the linear map's first pages are in.
    const args = [RAM + 16n * PAGE, LINEAR + 16n * PAGE, 16n * PAGE, pageKernel];
    const pages = (attributes: bigint) => Array.from({ length: 16 }, () => attributes);
    t.same(stored(newest, 'create_mapping_noalloc', ...args), pages(pageKernel | PTE_CONT));
    t.same(stored(until617, 'create_mapping_noalloc', ...args), pages(pageKernel));
    t.same(
      stored(newest, 'create_mapping_noalloc', RAM, LINEAR + 512n * PAGE, 512n * PAGE, pageKernel),
      [pageKernel & ~PMD_TABLE_BIT],
      'a block needs no table',
    );
    t.throws(
      () => call(newest, 'create_mapping_noalloc', RAM, LINEAR + 512n * PAGE, PAGE, pageKernel),
      new PredictedBug('BUG_ON(!pgtable_alloc) in alloc_init_cont_pte()'),
      'its tables must be there',
    );
  },
);

t.test('__set_fixmap(): a slot gets a page at once, and loses it with a flush', async (t) => {
  const device = 0x0900_0000n;
  t.same(call(newest, '__set_fixmap', 1n, device, pageKernel).lines, ['page fixmap 1']);
  t.same(stored(newest, '__set_fixmap', 1n, device, pageKernel), [pageKernel]);
  const { physBase } = run(newest, '__set_fixmap', [1n, device + 0x234n, pageKernel]);
  t.equal(
    BigInt(physBase) + (FIXADDR_TOP - PAGE - LINEAR),
    device,
    "the page's address, whatever the offset in it",
  );
  const clear = [2n, 0n, 0n];
  t.same(call(newest, '__set_fixmap', ...clear).lines, [
    'page fixmap 2',
    'flush fixmap 2 to fixmap 1',
  ]);
  t.same(stored(newest, '__set_fixmap', ...clear), [undefined]);
});

t.test(
  '__kpti_install_ng_mappings() rewrites each entry, those that lead to tables, too',
  async (t) => {
    const { lines } = call(newest, '__kpti_install_ng_mappings', 0n);
    const pages = Array.from({ length: 16 }, (_, page) => `page linear ${page}`);
    t.same(
      lines.slice(0, 23),
      [
        ...['entry linear 0', 'entry linear 0', ...pages],
        ...['entry area -1', 'entry area -1', 'page area 0', 'page area 1', 'page area 2'],
      ],
      'an entry, then what is below',
    );
    t.equal(lines.length, 26, 'and the page of the fixmap with its two tables');
  },
);
