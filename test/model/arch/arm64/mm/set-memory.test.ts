// SPDX-License-Identifier: GPL-2.0-only
import t from 'tap';
import { UnknownTable } from '../../../../../src/diff/refinement/mirror-table.ts';
import type { RecordedTable } from '../../../../../src/evidence/recording-reader.ts';
import {
  PMD_TABLE_BIT,
  PTE_GP,
  PTE_PRESENT_INVALID,
  PTE_RDONLY,
  PTE_VALID,
  PTE_WRITE,
} from '../../../../../src/linux/pgprot.ts';
import { PROT_NS_SHARED } from '../../../../../src/model/linear-map.ts';
import {
  AREA,
  type Booted,
  below,
  booted,
  call,
  deciding,
  EBUSY,
  EINVAL,
  LINEAR,
  newest,
  PAGE,
  pageKernel,
  pageKernelExec,
  RAM,
  recordedTables,
  stored,
  structPage,
  table,
  until617,
} from '../../../../model/one-call.ts';

const wholeArea = booted('6.18.15+deb13-arm64@cortex-a76+kaslr');
const capable = booted('7.3.4-4k39@neoverse-v3-r0p2+8g');
const inRealm = booted('7.3.4+deb13-arm64@realm+cortex-a57');
const unable = deciding(newest, { rodataFull: false, kfenceEarlyInit: true });

t.test(
  'set_memory_ro() on one page of an area: since 6.19 only its own alias follows',
  async (t) => {
    const own = ['page area 1', 'flush area 1 to area 2'];
    const aliasOf = (frame: number) => [
      `page linear ${frame}`,
      `flush linear ${frame} to linear ${frame + 1}`,
    ];
    t.same(call(newest, 'set_memory_ro', AREA + PAGE, 1n), {
      lines: [...aliasOf(3), ...own],
      answer: 0,
    });
    t.same(
      call(wholeArea, 'set_memory_ro', AREA + PAGE, 1n),
      { lines: [...aliasOf(5), ...aliasOf(3), ...aliasOf(9), ...own], answer: 0 },
      'before, those of all of its pages do',
    );
  },
);

t.test('a TLB must forget what it may hold: all but what was invalid', async (t) => {
  for (const kernel of [wholeArea, newest])
    t.same(
      call(kernel, 'set_memory_nx', AREA, 2n).lines,
      ['page area 0', 'page area 1', 'flush area 0 to area 2'],
      `${kernel.golden}: a page that was executable`,
    );
  t.same(call(newest, 'set_memory_valid', AREA, 1n, 0n).lines, [
    'page area 0',
    'flush area 0 to area 1',
  ]);
  t.same(
    call(newest, 'set_memory_valid', AREA, 1n, 1n).lines,
    ['page area 0'],
    'what becomes valid is in no TLB',
  );
});

t.test('PTE_MAYBE_GP: code is guarded where the kernel uses BTI, and nowhere else', async (t) => {
  const guarded = { ...newest, bti: true };
  t.same(stored(newest, 'set_memory_x', LINEAR, 1n), [pageKernelExec]);
  t.same(stored(guarded, 'set_memory_x', LINEAR, 1n), [pageKernelExec | PTE_GP]);
  t.same(stored(newest, 'set_memory_nx', AREA, 1n), [pageKernel]);
});

t.test('the direct map stays as it is where can_set_direct_map() says no', async (t) => {
  const page = structPage(newest, 3n);
  t.same(call(newest, 'set_direct_map_invalid_noflush', page), {
    lines: ['page linear 3'],
    answer: 0,
  });
  for (const name of ['set_direct_map_invalid_noflush', 'set_direct_map_valid_noflush'])
    t.same(call(unable, name, page, 1n, 0n), { lines: [], answer: 0 });
  t.same(call(unable, '__kernel_map_pages', page, 1n, 0n), { lines: [], answer: undefined });
});

t.test('without rodata_full an alias stays writable', async (t) => {
  t.same(call(unable, 'set_memory_ro', AREA, 1n), {
    lines: ['page area 0', 'flush area 0 to area 1'],
    answer: 0,
  });
});

t.test('set_memory_*(): no pages are nothing to do, and no TLB is asked', async (t) => {
  for (const name of ['set_memory_ro', 'set_memory_nx'])
    t.same(call(newest, name, AREA, 0n), { lines: [], answer: 0 }, name);
});

t.test('an alias is writable again as the page of its area is', async (t) => {
  const readOnly = (pageKernel & ~PTE_WRITE) | PTE_RDONLY;
  const linear = table(4, 3, { 3: (RAM + 3n * PAGE) | readOnly });
  const tables = () => recordedTables().map((each) => (each.id === 4 ? linear : each));
  const kernel = { ...newest, tables };
  t.same(stored(kernel, 'set_memory_rw', AREA + PAGE, 1n), [pageKernel]);
  t.same(call(kernel, 'set_memory_rw', AREA + PAGE, 1n).lines, [
    ...['page linear 3', 'flush linear 3 to linear 4'],
    'flush area 1 to area 2',
  ]);
});

t.test(
  'set_direct_map_valid_noflush() and __kernel_map_pages() are set_memory_valid()',
  async (t) => {
    const invalid = ['page linear 3', 'page linear 4', 'flush linear 3 to linear 5'];
    const valid = ['page linear 3', 'page linear 4'];
    for (const kernel of [until617, newest]) {
      const page = structPage(kernel, 3n);
      for (const [name, answer] of [
        ['set_direct_map_valid_noflush', 0],
        ['__kernel_map_pages', undefined],
      ] as const)
        t.same(call(kernel, name, page, 2n, 0n), { lines: invalid, answer }, name);
    }
    t.same(call(newest, '__kernel_map_pages', structPage(newest, 3n), 2n, 1n).lines, valid);
  },
);

t.test('AAPCS64: of a bool argument the lowest byte counts, of an int 32 bits', async (t) => {
  const high = 0xabcd_0000_0000_0000n;
  const flushes = (name: string, flag: bigint) =>
    call(newest, name, structPage(newest, 3n), high | 1n, flag).lines.length === 2;
  t.ok(flushes('set_direct_map_valid_noflush', high | 0x100n), 'bool valid: false');
  t.notOk(flushes('set_direct_map_valid_noflush', high | 0x101n), 'true');
  t.ok(flushes('__kernel_map_pages', high), 'int enable: 0');
  t.notOk(flushes('__kernel_map_pages', high | 0x100n), '256');
  const last = (flag: bigint) =>
    stored(inRealm, '__set_memory_enc_dec', LINEAR, high | 1n, flag).at(-1);
  t.same([last(0x100n), last(0x101n)], [pageKernel | PROT_NS_SHARED, pageKernel], 'bool encrypt');
});

/** A page of an area behind the first one, whose alias is in a block of the linear map. */
const inBlock = AREA + 5n * PAGE;

/** The tables, with a block behind the pages of the linear map. */
function tablesWithBlock(): RecordedTable[] {
  const tables = recordedTables();
  const block = (RAM + 512n * PAGE) | (pageKernel & ~PMD_TABLE_BIT);
  tables[1] = table(2, 2, { 0: below(4), 1: block });
  tables[4] = table(5, 3, { 6: (RAM + 515n * PAGE) | pageKernelExec });
  return tables;
}
const withBlock = (kernel: Booted): Booted => ({ ...kernel, tables: tablesWithBlock });

t.test('part of a block that cannot be split is refused: -EINVAL', async (t) => {
  const page = LINEAR + 515n * PAGE;
  const flushed = 'flush linear 515 to linear 516';
  t.same(
    call(withBlock(newest), 'set_memory_valid', page, 1n, 0n),
    { lines: [flushed], answer: -EINVAL },
    'the TLB is asked all the same',
  );
  t.same(
    call(withBlock(newest), 'set_memory_ro', inBlock, 1n),
    { lines: [flushed], answer: -EINVAL },
    'where the alias is refused, the area stays as it is',
  );
  t.same(
    call(withBlock(until617), 'set_memory_ro', inBlock, 1n),
    { lines: [flushed, 'page area 5', 'flush area 5 to area 6'], answer: 0 },
    'up to 6.17 nobody looks at what the alias returns',
  );
  t.same(call(withBlock(capable), 'set_memory_ro', inBlock, 1n).answer, 0, 'or it is split');
});

t.test('before the capabilities are final, other CPUs make it -EBUSY', async (t) => {
  const starting = {
    ...withBlock(deciding(capable, { systemBbml: false })),
    time: { capabilitiesFinal: false, onlineCpus: 2 },
  };
  t.same(call(starting, 'set_memory_valid', LINEAR, 1n, 0n), {
    lines: ['flush linear 0 to linear 1'],
    answer: -EBUSY,
  });
});

t.test('where a table is not recorded, nothing is said of what the call returns', async (t) => {
  const tables = () => recordedTables().filter(({ id }) => id !== 4);
  t.throws(
    () => call({ ...newest, tables }, 'set_memory_valid', LINEAR, 1n, 0n),
    new UnknownTable(),
  );
});

t.test('__set_memory_enc_dec() breaks a mapping before it makes the other', async (t) => {
  const { maybeNg } = inRealm.state.prot;
  const invalid = (pageKernel & ~(PTE_VALID | maybeNg)) | PTE_PRESENT_INVALID;
  const args = [LINEAR + 2n * PAGE, 1n];
  const lines = ['page linear 2', 'flush linear 2 to linear 3', 'page linear 2'];
  for (const [names, shared] of [
    [[['__set_memory_enc_dec', 0n], ['realm_set_memory_decrypted']], PROT_NS_SHARED],
    [[['__set_memory_enc_dec', 1n], ['realm_set_memory_encrypted']], 0n],
  ] as [[string, ...bigint[]][], bigint][])
    for (const [name, ...encrypt] of names) {
      t.same(call(inRealm, name, ...args, ...encrypt), { lines, answer: 0 }, name);
      t.same(
        stored(inRealm, name, ...args, ...encrypt),
        [invalid | shared, pageKernel | maybeNg | shared],
        name,
      );
      t.same(
        call(newest, name, ...args, ...encrypt),
        { lines: [], answer: 0 },
        `${name} outside a realm`,
      );
    }
});

t.test(
  'what cannot be broken is not made either, and stays invalid as far as it got',
  async (t) => {
    // From the last page before a hole to the first one of a block.
    const args = [LINEAR + 15n * PAGE, 512n - 15n + 1n];
    t.same(call(withBlock(inRealm), 'realm_set_memory_decrypted', ...args), {
      lines: ['page linear 15', 'flush linear 15 to linear 513'],
      answer: -EINVAL,
    });
  },
);
