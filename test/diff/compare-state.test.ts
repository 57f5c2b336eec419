// SPDX-License-Identifier: GPL-2.0-only
import t from 'tap';
import {
  compareProbes,
  compareRegisters,
  compareTables,
  compareVariables,
} from '../../src/diff/compare-state.ts';
import { given } from '../given.ts';
import { linearStart, soundContext, TABLE } from './synthetic.ts';

const ids = (findings: { id: string }[]) => findings.map(({ id }) => id);

t.test('tables', (t) => {
  const { capture, linear } = soundContext();
  const { tables } = capture.ttbr1;
  const predicted = tables.map(({ level, va, attributes }) => ({ level, va, attributes }));
  const compare = (walked: typeof tables) =>
    ids(compareTables(predicted, walked, linear, 4096, 'init'));
  t.same(compare(tables), []);
  t.same(
    compare(tables.map((table) => ({ ...table, pa: table.pa + 4096 }))),
    [],
    'where a table lies is free',
  );
  t.same(compare([...tables].reverse()), [], 'the order is free');
  t.same(
    compare([...tables, { pa: 0, level: 1, va: linear.end, attributes: TABLE }]),
    [],
    'other regions are not compared',
  );
  const shared = { pa: 0, level: 0, va: linear.start, attributes: TABLE } as const;
  t.same(compare([...tables, shared]), [], 'nor what reaches beyond the region');
  t.same(compare(tables.slice(0, 2)), ['mismatch/tables/missing@init']);
  t.same(
    compare([...tables, given(tables[2])]),
    ['mismatch/tables/unexpected@init'],
    'one too many at one place',
  );
  t.same(
    compare([...tables.slice(0, 2), { ...given(tables[2]), attributes: TABLE ^ (1n << 59n) }]),
    ['mismatch/tables/attributes@init'],
  );
  t.same(
    compare([...tables.slice(0, 2), { ...given(tables[2]), va: linearStart + 0x4000_0000n }]),
    ['mismatch/tables/missing@init', 'mismatch/tables/unexpected@init'],
  );
  t.end();
});

t.test('registers', (t) => {
  const { capture, image } = soundContext();
  const tcr = given(capture.cpus[0]).registers.TCR_EL1;
  const compare = (bits: bigint, mask: bigint, register = 'TCR_EL1') =>
    compareRegisters(Array(2).fill({ [register]: { bits, mask, why: 'proc.S' } }), capture, image);
  t.same(compare(tcr, 2n ** 64n - 1n), []);
  t.same(compare(0n, 0n), [], 'masked bits are free');
  const findings = compare(tcr ^ (1n << 39n) ^ (17n << 16n), 2n ** 64n - 1n);
  t.same(ids(findings), [
    'mismatch/register/TCR_EL1/T1SZ@init',
    'mismatch/register/TCR_EL1/HA@init',
  ]);
  t.match(given(findings[0]).detail, /CPU 0: T1SZ is 0x10, expected 0x1 .*CPU 1/s);
  t.same(ids(compare(2n, 2n, 'TCR2_EL1')), ['mismatch/register/TCR2_EL1/absent@init']);
  t.equal(given(compare(2n, 2n, 'TCR2_EL1')[0]).title, 'TCR2_EL1 is absent');
  given(capture.cpus[1]).registers.MAIR_EL1 ^= 0xf0_00n;
  t.same(ids(compare(given(capture.cpus[0]).registers.MAIR_EL1, 2n ** 64n - 1n, 'MAIR_EL1')), [
    'mismatch/register/MAIR_EL1/Attr1@init',
  ]);
  given(capture.cpus[1]).online = false;
  t.same(
    compare(given(capture.cpus[0]).registers.MAIR_EL1, 2n ** 64n - 1n, 'MAIR_EL1'),
    [],
    'a CPU that is off does not count',
  );
  t.end();
});

t.test('TTBR1 of a CPU in user space under KPTI is not the kernel root', (t) => {
  const { capture, image } = soundContext();
  const predicted = Array(2).fill({
    TTBR1_EL1: {
      bits: given(capture.cpus[0]).registers.TTBR1_EL1,
      mask: 0xffff_ffff_ffc0n,
      why: 'swapper',
    },
  });
  given(capture.cpus[1]).registers.TTBR1_EL1 = BigInt(image.pa + 0x17_0000);
  t.same(ids(compareRegisters(predicted, capture, image)), [
    'mismatch/register/TTBR1_EL1/BADDR@init',
  ]);
  t.same(
    compareRegisters(predicted, capture, {
      ...image,
      trampPgDir: image.symbols._text + 0x17_0000n,
    }),
    [],
  );
  t.end();
});

t.test('variables', (t) => {
  const { capture } = soundContext();
  t.same(compareVariables({ rodata_full: 1n }, capture), []);
  t.same(ids(compareVariables({ rodata_full: 0n }, capture)), [
    'mismatch/variable/rodata_full/value@init',
  ]);
  t.same(ids(compareVariables({ linear_map_requires_bbml3: 0n }, capture)), [
    'mismatch/variable/linear_map_requires_bbml3/absent@init',
  ]);
  t.end();
});

t.test('probes', (t) => {
  const result = { probe: 'memfd_secret', errno: 0, call: 'ok', pages: [] };
  const compare = (errno: number, seen: number) =>
    ids(
      compareProbes(
        [{ probe: 'memfd_secret', errno, why: 'w' }],
        [{ ...result, errno: seen, call: 'memfd_secret' }],
      ),
    );
  t.same(compare(0, 0), []);
  t.same(compare(38, 38), []);
  t.same(compare(0, 38), ['mismatch/probe/memfd_secret/fails']);
  t.same(compare(38, 0), ['mismatch/probe/memfd_secret/works']);
  t.same(compare(38, 1), ['mismatch/probe/memfd_secret/errno']);
  t.end();
});

t.test('what a device delivers', (t) => {
  const predicted = [{ probe: 'virtio-net', errno: 0, device: 'virtio-net' as const, why: 'w' }];
  const compare = (data: string | undefined, errno = 0) =>
    compareProbes(predicted, [
      { probe: 'virtio-net', call: 'ok', errno, pages: [], ...(data !== undefined && { data }) },
    ]);
  t.same(compare('52550a0002020a000202'), []);
  t.same(ids(compare('000000000000')), ['mismatch/probe/virtio-net/data']);
  t.same(ids(compare(undefined)), ['mismatch/probe/virtio-net/data']);
  t.same(ids(compare(undefined, 19)), ['mismatch/probe/virtio-net/fails']);
  t.notMatch(given(compare('\x1b[2J')[0]).detail, '\x1b', 'hostile text stays out');
  t.end();
});
