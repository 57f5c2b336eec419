// SPDX-License-Identifier: GPL-2.0-only
/** What is sound, or allowed though it looks odd, is no finding of any invariant. */

import t from 'tap';
import type { CheckpointContext } from '../../../src/diff/context.ts';
import { given } from '../../given.ts';
import {
  addKernel,
  addUser,
  idsOf,
  imageVa,
  plain,
  ramPlus,
  setPlain,
  setVmalloc,
} from '../defects.ts';
import {
  bits,
  CONT,
  capability,
  KiB,
  linearOf,
  MiB,
  NG,
  prot,
  RDONLY,
  registers,
  rewrite,
  soundContext,
  TABLE,
  vmalloc,
  withAttributes,
} from '../synthetic.ts';

t.test('a sound capture has no finding, whatever its size and place', (t) => {
  t.same(idsOf(soundContext()), []);
  t.same(
    idsOf(soundContext({ ramStart: 0x8_8000_0000, ramSize: 1024 * MiB, slide: 0x1234_0000n })),
    [],
  );
  t.end();
});

t.test('what is allowed is not reported', (t) => {
  const allowed: [string, (context: CheckpointContext) => void][] = [
    ['a present-invalid leaf', setPlain((a) => (a & ~1n) | NG)],
    ['an invalid leaf without the access flag', setPlain((a) => a & ~1n & ~bits.AF)],
    ['an invalid leaf that is not inner shareable', setPlain((a) => a & ~1n & ~bits.INNER)],
    [
      'a device that is not inner shareable: its memory type alone counts',
      addKernel(vmalloc + 0x1_0000n, () => 0x900_0000, (prot.data | (3n << 2n)) & ~bits.INNER),
    ],
    [
      'an alias of another memory type that is not valid',
      addKernel(vmalloc + 0x1_0000n, ramPlus(34 * MiB), (prot.data | (3n << 2n)) & ~1n),
    ],
    [
      'a user mapping of a table page that is not valid',
      addUser(ramPlus(48 * MiB), (prot.user | RDONLY) & ~1n),
    ],
    [
      'cacheable no-map memory, and all of the pages that it is a part of',
      (context) => {
        const { end } = given(context.ram[0]);
        context.noMap.push({ start: end + MiB + KiB, end: end + MiB + 2 * KiB });
        addKernel(vmalloc + 0x1_0000n, () => end + MiB, prot.data)(context);
      },
    ],
    [
      'a table and a cacheable mapping in memory that was added later',
      (context) => {
        const { end } = given(context.ram[0]);
        context.added = [{ start: end, end: end + MiB }];
        given(context.capture.ttbr1.tables[2]).pa = end;
        addKernel(vmalloc + 0x1_0000n, () => end + 4 * KiB, prot.data)(context);
      },
    ],
    [
      "a user's root table in the last page of RAM, of which it is a part",
      (context) => {
        const { end } = given(context.ram[0]);
        given(context.capture.ttbr0?.tables[0]).pa = end - 4 * KiB + 0x200;
      },
    ],
    [
      'rodata, and another mapping of text, are writable under rodata=off',
      (context) => {
        context.capture.variables.rodata_enabled = 0n;
        rewrite(context, imageVa(context, '__start_rodata'), 4 * KiB, (leaf) =>
          withAttributes(leaf, prot.data),
        );
        addKernel(vmalloc + 0x1_0000n, ({ image }) => image.pa, prot.data)(context);
      },
    ],
    [
      'pages stay valid of a probe that failed',
      (context) =>
        context.evidence.probes.push({
          probe: 'memfd_secret',
          errno: 38,
          call: 'memfd_secret',
          pages: [ramPlus(36 * MiB)(context)],
        }),
    ],
    [
      'pages of another probe stay valid',
      (context) =>
        context.evidence.probes.push({
          probe: 'bpf',
          errno: 0,
          call: 'ok',
          pages: [ramPlus(36 * MiB)(context)],
        }),
    ],
    [
      "a table of KASAN's shadow that serves twice",
      ({ capture }) => {
        const { pa } = given(capture.ttbr1.tables[2]);
        // With 48 bits it begins where the linear region ends.
        const shadow = 0xffff_8000_0000_0000n;
        for (const va of [shadow, shadow, shadow + 0x4000_0000n])
          capture.ttbr1.tables.push({ pa: pa + 0x1000, level: 2, va, attributes: TABLE });
      },
    ],
    [
      'a read-only alias of a table page',
      addKernel(vmalloc + 0x1_0000n, ramPlus(48 * MiB), prot.readOnly),
    ],
    [
      'a read-only page of the kernel image in user space, such as the vDSO',
      addUser((context) => context.image.pa + 0x10_0000, (prot.user | RDONLY) & ~bits.DBM),
    ],
    ['tagged and untagged aliases', setVmalloc((a) => a | (1n << 2n))],
    [
      'a block where the system can split it',
      (context) => {
        context.capture.variables.system_cpucaps = 1n << BigInt(capability);
        context.capture.variables.linear_map_requires_bbml3 = 1n;
        rewrite(context, plain(context), 2 * MiB, (leaf) => ({
          ...withAttributes(leaf, leaf.attributes & ~2n),
          level: 2,
        }));
      },
    ],
    [
      'a block in the kernel alias',
      (context) =>
        rewrite(context, linearOf(context, context.image.pa), 64 * KiB, (leaf) =>
          withAttributes(leaf, leaf.attributes | CONT),
        ),
    ],
    [
      'writable executable text under rodata=off',
      (context) => {
        context.capture.variables.rodata_enabled = 0n;
        rewrite(context, imageVa(context, '_stext'), 4 * KiB, (leaf) =>
          withAttributes(leaf, prot.data & ~bits.PXN),
        );
      },
    ],
    [
      'a CPU in user space under KPTI',
      (context) => {
        context.image.trampPgDir = context.image.symbols._text + 0x17_0000n;
        given(context.capture.cpus[0]).registers.TTBR1_EL1 =
          BigInt(context.image.pa + 0x17_0000) | (3n << 48n);
      },
    ],
    [
      'another ASID',
      (context) => {
        given(context.capture.cpus[1]).registers.TTBR1_EL1 |= (5n << 48n) | 1n;
      },
    ],
    [
      'an offline CPU',
      (context) => {
        context.capture.cpus[1] = {
          online: false,
          registers: { ...registers, TCR_EL1: 0n, SCTLR_EL1: 0n },
        };
      },
    ],
    [
      'coherent DMA memory remapped non-cacheable',
      (context) => {
        const line = `0x${vmalloc.toString(16)}-0x${(vmalloc + 0x2000n).toString(16)}    8192 atomic_pool_expand+0x90/0x200 dma-coherent\n`;
        context.evidence.files['/proc/vmallocinfo'] = line;
        setVmalloc((a) => a | (2n << 2n))(context);
      },
    ],
    [
      'a non-cacheable vmalloc mapping of a boot that died before init could tell what it is',
      (context) => {
        context.evidence.end = { kind: 'hang', reason: 'it idled' };
        setVmalloc((a) => a | (2n << 2n))(context);
      },
    ],
  ];
  for (const [name, change] of allowed) {
    const context = soundContext();
    change(context);
    t.same(idsOf(context), [], name);
  }
  t.end();
});
