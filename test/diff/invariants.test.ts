import t from 'tap';
import type { CheckpointContext } from '../../src/diff/context.ts';
import { invariants } from '../../src/diff/invariants/index.ts';
import {
  bits,
  CONT,
  KiB,
  linearOf,
  linearStart,
  MiB,
  NG,
  prot,
  RDONLY,
  registers,
  rewrite,
  run,
  type Shape,
  soundContext,
  TABLE,
  USER,
  vmalloc,
  withAttributes,
} from './synthetic.ts';

function idsOf(context: CheckpointContext): string[] {
  return invariants.flatMap((invariant) => invariant(context)).map(({ id }) => id);
}

/** Somewhere in RAM that is neither image nor table. */
const plain = (context: CheckpointContext) => linearOf(context, context.ram[0].start + 40 * MiB);
const imageVa = (context: CheckpointContext, symbol: keyof CheckpointContext['image']['symbols']) =>
  context.image.symbols[symbol] + context.image.slide;
const setPlain = (change: (attributes: bigint) => bigint) => (context: CheckpointContext) =>
  rewrite(context, plain(context), 4 * KiB, (leaf) => withAttributes(leaf, change(leaf.attributes)));
const setVmalloc = (change: (attributes: bigint) => bigint) => (context: CheckpointContext) =>
  rewrite(context, vmalloc, 4 * KiB, (leaf) => withAttributes(leaf, change(leaf.attributes)));
const addKernel =
  (va: bigint, pa: (context: CheckpointContext) => number, attributes: bigint) => (context: CheckpointContext) =>
    context.capture.ttbr1.leaves.push(run(va, pa(context), 4 * KiB, attributes));
const addUser = (pa: (context: CheckpointContext) => number, attributes: bigint) => (context: CheckpointContext) =>
  context.capture.ttbr0?.leaves.push(run(0x50_0000n, pa(context), 4 * KiB, attributes));
const ramPlus = (offset: number) => (context: CheckpointContext) => context.ram[0].start + offset;

/** One defect each: what is broken, how, and exactly the ids that must appear; on a boot at `shape`, if not the usual one. */
const defects: [name: string, breakIt: (context: CheckpointContext) => void, ids: string[], shape?: Partial<Shape>][] =
  [
    [
      'a page of RAM is not mapped',
      (context) => rewrite(context, plain(context), 4 * KiB, () => undefined),
      ['invariant/linear-map-is-ram/ram-not-mapped@init'],
    ],
    [
      'the linear region maps what is no RAM',
      (context) =>
        context.capture.ttbr1.leaves.splice(
          3,
          0,
          run(linearOf(context, context.ram[0].end), context.ram[0].end, 4 * KiB, prot.data & ~1n),
        ),
      ['invariant/linear-map-is-ram/not-ram@init'],
    ],
    [
      'NOMAP memory is mapped',
      (context) => {
        const hole = { start: context.ram[0].start + 40 * MiB, end: context.ram[0].start + 41 * MiB };
        context.noMap.push(hole);
        context.ram = [
          { start: context.ram[0].start, end: hole.start },
          { start: hole.end, end: context.ram[0].end },
        ];
      },
      ['invariant/linear-map-is-ram/not-ram@init'],
    ],
    [
      'a linear leaf points elsewhere',
      (context) => rewrite(context, plain(context), 4 * KiB, (leaf) => ({ ...leaf, pa: leaf.pa + 4 * KiB })),
      ['invariant/linear-map-is-ram/wrong-address@init'],
    ],
    [
      'vmalloc memory is writable and executable',
      setVmalloc((a) => a & ~bits.PXN),
      ['invariant/write-xor-execute/writable-executable@init'],
    ],
    [
      'clean memory that hardware makes writable is executable',
      (context) => {
        setVmalloc((a) => (a & ~bits.PXN) | RDONLY)(context);
        context.regime = { ...context.regime, hardwareDirty: true };
      },
      ['invariant/write-xor-execute/writable-executable@init'],
    ],
    [
      'the linear map is executable',
      setPlain((a) => (a & ~bits.PXN) | RDONLY),
      ['invariant/linear-map-not-executable/executable@init'],
    ],
    [
      'the linear map is executable at EL0',
      setPlain((a) => (a & ~bits.UXN) | RDONLY),
      ['invariant/linear-map-not-executable/executable@init', 'invariant/kernel-half-closed-to-user/user-access@init'],
    ],
    [
      'EL0 can read vmalloc memory',
      setVmalloc((a) => a | USER),
      ['invariant/kernel-half-closed-to-user/user-access@init'],
    ],
    [
      'kernel text is writable in the image',
      (context) => rewrite(context, imageVa(context, '_stext'), 4 * KiB, (leaf) => withAttributes(leaf, prot.data)),
      ['invariant/kernel-text-read-only/text-writable@init'],
    ],
    [
      'rodata is writable in the image',
      (context) =>
        rewrite(context, imageVa(context, '__start_rodata'), 4 * KiB, (leaf) => withAttributes(leaf, prot.data)),
      ['invariant/kernel-text-read-only/rodata-writable@init'],
    ],
    [
      'the linear alias of text is writable',
      (context) =>
        rewrite(context, linearOf(context, context.image.pa), 4 * KiB, (leaf) => withAttributes(leaf, prot.data)),
      ['invariant/kernel-text-read-only/linear-alias-writable@init'],
    ],
    [
      'the linear alias of text is writable although rodata=off',
      (context) => {
        context.capture.variables.rodata_enabled = 0n;
        rewrite(context, linearOf(context, context.image.pa), 4 * KiB, (leaf) => withAttributes(leaf, prot.data));
      },
      ['invariant/kernel-text-read-only/linear-alias-writable@init'],
    ],
    [
      'text is mapped writable once more',
      addKernel(vmalloc + 0x1_0000n, (context) => context.image.pa, prot.data),
      ['invariant/kernel-text-read-only/other-alias-writable@init'],
    ],
    [
      'a table page has a writable alias in vmalloc space',
      addKernel(vmalloc + 0x1_0000n, ramPlus(48 * MiB), prot.data),
      ['invariant/tables-mapped-once/writable-alias@init'],
    ],
    [
      'a table page is mapped into user space, read-only',
      addUser(ramPlus(48 * MiB), prot.user | RDONLY),
      ['invariant/user-mappings-safe/table-page@init'],
    ],
    [
      'kernel data is writable for user space',
      addUser((context) => context.image.pa + 0x20_0000, prot.user),
      ['invariant/user-mappings-safe/kernel-image-writable@init'],
    ],
    [
      'a user page is executable at EL1',
      addUser(ramPlus(34 * MiB), (prot.user | RDONLY) & ~bits.PXN & ~bits.DBM),
      ['invariant/user-mappings-safe/kernel-executable@init'],
    ],
    [
      'the linear map is Device memory',
      setPlain((a) => a | (4n << 2n)),
      ['invariant/linear-map-memory-type/not-write-back@init'],
    ],
    [
      'a vmalloc alias is non-cacheable',
      setVmalloc((a) => a | (2n << 2n)),
      ['invariant/aliases-agree/non-cacheable-and-write-back@init'],
    ],
    [
      'a user alias is Device memory',
      addUser(ramPlus(34 * MiB), prot.user | (3n << 2n)),
      ['invariant/aliases-agree/Device-nGnRnE-and-write-back@init'],
    ],
    [
      'cacheable memory without RAM',
      addKernel(vmalloc + 0x1_0000n, () => 0x900_0000, prot.data),
      ['invariant/write-back-is-ram/not-memory@init'],
    ],
    ['not inner shareable', setPlain((a) => a & ~bits.INNER), ['invariant/inner-shareable/not-inner@init']],
    ['no access flag', setPlain((a) => a & ~bits.AF), ['invariant/access-flag/clear@init']],
    ['non-global without KPTI', setPlain((a) => a | NG), ['invariant/global-bit/non-global-without-kpti@init']],
    [
      'global with KPTI',
      (context) => {
        context.capture.variables.arm64_use_ng_mappings = 1n;
      },
      ['invariant/global-bit/global-with-kpti@init'],
    ],
    [
      'a block that cannot be split under can_set_direct_map()',
      (context) =>
        rewrite(context, plain(context), 2 * MiB, (leaf) => ({
          ...withAttributes(leaf, leaf.attributes & ~2n),
          level: 2,
        })),
      ['invariant/direct-map-promise/cannot-split@init'],
    ],
    [
      'a contiguous group that cannot be split under can_set_direct_map()',
      (context) => rewrite(context, plain(context), 64 * KiB, (leaf) => withAttributes(leaf, leaf.attributes | CONT)),
      ['invariant/direct-map-promise/cannot-split@init'],
    ],
    [
      'capable CPUs, but the boot decided that splitting is not needed',
      (context) => {
        context.decisions = { ...context.decisions, systemBbml: true };
        context.capture.variables.linear_map_requires_bbml3 = 0n;
        rewrite(context, plain(context), 64 * KiB, (leaf) => withAttributes(leaf, leaf.attributes | CONT));
      },
      ['invariant/direct-map-promise/cannot-split@init'],
    ],
    [
      'a secret page stays valid',
      (context) =>
        context.evidence.probes.push({
          probe: 'memfd_secret',
          errno: 0,
          call: 'ok',
          pages: [context.ram[0].start + 36 * MiB],
        }),
      ['invariant/secret-pages-invalid/valid@init'],
    ],
    [
      'CPU 1 has another root',
      (context) => {
        context.capture.cpus[1].registers.TTBR1_EL1 += 0x1000n;
      },
      ['invariant/cpus-agree/TTBR1_EL1@init'],
    ],
    [
      'CPU 1 has another MAIR',
      (context) => {
        context.capture.cpus[1].registers.MAIR_EL1 ^= 0x0fn;
      },
      ['invariant/cpus-agree/MAIR_EL1@init'],
    ],
    [
      'CPU 1 has permission indirection, CPU 0 has not',
      (context) => {
        context.capture.cpus[1].registers.PIR_EL1 = 0xcc880e0ac0800000n;
      },
      ['invariant/cpus-agree/PIR_EL1@init'],
    ],
    [
      'all CPUs walk non-cacheable',
      (context) => {
        for (const { registers } of context.capture.cpus) registers.TCR_EL1 &= ~(3n << 24n);
      },
      ['invariant/translation-controls/TCR_EL1.IRGN1@init'],
    ],
    [
      'a descriptor is malformed',
      (context) =>
        context.capture.ttbr1.malformed.push({
          va: 0xffff_0000_0123_4000n,
          level: 3,
          at: 0x4800_0000,
          descriptor: 0x10n,
          reason: 'A contiguous group is partial: entry 3 of 16 is no part of it.',
        }),
      ['invariant/sound-tables/a-contiguous-group-is-partial@init'],
    ],
    [
      'a table lies outside RAM',
      (context) => {
        context.capture.ttbr1.tables[2].pa = 0x900_0000;
      },
      ['invariant/sound-tables/outside-ram@init'],
    ],
    [
      'two tables of the linear map share a page',
      (context) =>
        context.capture.ttbr1.tables.push({
          ...context.capture.ttbr1.tables[2],
          va: linearStart + 0x4000_0000n,
          attributes: TABLE,
        }),
      ['invariant/sound-tables/shared@init'],
    ],
    [
      'the image is mapped to another place',
      (context) => rewrite(context, imageVa(context, '_data'), 4 * KiB, (leaf) => ({ ...leaf, pa: leaf.pa + 4 * KiB })),
      ['invariant/kernel-image-in-place/wrong-address@init'],
    ],
    [
      'a page of the image is missing',
      (context) => rewrite(context, imageVa(context, '_data'), 4 * KiB, () => undefined),
      ['invariant/kernel-image-in-place/hole@init'],
    ],
    [
      'init memory is still mapped',
      (context) =>
        context.capture.ttbr1.leaves.splice(
          6,
          0,
          run(imageVa(context, '__init_begin'), context.image.pa + 0x18_0000, 4 * KiB, prot.data),
        ),
      ['invariant/kernel-image-in-place/init-still-mapped@init'],
    ],
  ];

t.test('a sound capture has no finding, whatever its size and place', (t) => {
  t.same(idsOf(soundContext()), []);
  t.same(idsOf(soundContext({ ramStart: 0x8_8000_0000, ramSize: 1024 * MiB, slide: 0x1234_0000n })), []);
  t.end();
});

for (const [name, breakIt, ids] of defects) {
  t.test(name, (t) => {
    const context = soundContext();
    breakIt(context);
    t.same(idsOf(context), ids, 'exactly this finding');
    const elsewhere = soundContext({ ramStart: 0x8_8000_0000, ramSize: 512 * MiB, slide: 0x1234_0000n });
    breakIt(elsewhere);
    t.same(idsOf(elsewhere), ids, 'the same id on a machine of another size, place and slide');
    for (const { detail, kind } of invariants.flatMap((invariant) => invariant(context))) {
      t.equal(kind, 'invariant');
      t.ok(
        detail.split('\n').every((line) => line.length <= 100),
        'detail fits 100 columns',
      );
    }
    t.end();
  });
}

t.test('what is allowed is not reported', (t) => {
  const allowed: [string, (context: CheckpointContext) => void][] = [
    ['a present-invalid leaf', setPlain((a) => (a & ~1n) | NG)],
    ['tagged and untagged aliases', setVmalloc((a) => a | (1n << 2n))],
    [
      'a block where the system can split it',
      (context) => {
        context.decisions = { ...context.decisions, systemBbml: true };
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
        rewrite(context, imageVa(context, '_stext'), 4 * KiB, (leaf) => withAttributes(leaf, prot.data & ~bits.PXN));
      },
    ],
    [
      'a CPU in user space under KPTI',
      (context) => {
        context.image.trampPgDir = context.image.symbols._text + 0x17_0000n;
        context.capture.cpus[0].registers.TTBR1_EL1 = BigInt(context.image.pa + 0x17_0000) | (3n << 48n);
      },
    ],
    [
      'another ASID',
      (context) => {
        context.capture.cpus[1].registers.TTBR1_EL1 |= (5n << 48n) | 1n;
      },
    ],
    [
      'an offline CPU',
      (context) => {
        context.capture.cpus[1] = { online: false, registers: { ...registers, TCR_EL1: 0n, SCTLR_EL1: 0n } };
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
  ];
  for (const [name, change] of allowed) {
    const context = soundContext();
    change(context);
    t.same(idsOf(context), [], name);
  }
  t.end();
});

t.test('what the kernel protects late is not missed early, nor reported before its time', (t) => {
  const writable = (context: CheckpointContext, symbol: '_stext' | '__start_rodata') =>
    rewrite(context, imageVa(context, symbol), 4 * KiB, (leaf) => withAttributes(leaf, prot.data));
  const early = (checkpoint: Shape['checkpoint'], breakIt: (context: CheckpointContext) => void) => {
    const context = soundContext({ checkpoint });
    const initVa = imageVa(context, '__init_begin');
    context.capture.ttbr1.leaves.splice(6, 0, run(initVa, context.image.pa + 0x18_0000, 0x8_0000, prot.readOnly));
    breakIt(context);
    return idsOf(context);
  };
  t.same(
    early('free_initmem', (context) => writable(context, '__start_rodata')),
    [],
  );
  t.same(
    early('paging_init', (context) => writable(context, '_stext')),
    ['invariant/kernel-text-read-only/text-writable@paging_init'],
  );
  const alias = (context: CheckpointContext) =>
    rewrite(context, linearOf(context, context.image.pa), 4 * KiB, (leaf) => withAttributes(leaf, prot.data));
  t.same(early('paging_init', alias), []);
  t.same(early('after_split', alias), []);
  t.same(early('free_initmem', alias), ['invariant/kernel-text-read-only/linear-alias-writable@free_initmem']);
  t.same(idsOf(soundContext({ checkpoint: 'free_initmem' })), ['invariant/kernel-image-in-place/hole@free_initmem']);
  t.end();
});
