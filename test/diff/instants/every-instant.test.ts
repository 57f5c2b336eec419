// SPDX-License-Identifier: GPL-2.0-only
import t from 'tap';
import { geometryOf } from '../../../src/linux/geometry.ts';
import { vmemmapStart } from '../../../src/linux/kernel-layout.ts';
import { given } from '../../given.ts';
import { linearStart, prot, soundContext, vmalloc } from '../synthetic.ts';
import { MadeBoot } from './made-boot.ts';

const imagePa = 0x4020_0000;
const text = 0xffff_8000_8001_0000n;
const textPa = BigInt(imagePa) + 0x1_0000n;
const rodata = 0xffff_8000_8010_0000n;
const rodataPa = BigInt(imagePa) + 0x10_0000n;
const fixmap = 0xffff_fdff_fe00_0000n;
const linear = (pa: bigint) => linearStart + pa - 0x4000_0000n;
const page = 0x4210_0000n;
/** Neither read-only nor execute-never. */
const both = prot.text & ~(1n << 7n);
const nothing = () => {};
const rule = 'kernel-text-read-only';

const struct = vmemmapStart(48, geometryOf(4096)) + ((page - 0x4000_0000n) / 4096n) * 64n;

/** A boot up to where text and rodata are protected; `left` leaves something writable. */
function protectedBoot(left?: 'alias' | 'rodata', context = soundContext()): MadeBoot {
  const boot = new MadeBoot(context);
  boot
    .store(text, textPa | prot.text)
    .store(rodata, rodataPa | prot.data)
    .call('paging_init', [], nothing)
    .store(linear(textPa), textPa | prot.data)
    .call('__apply_alternatives_multi_stop', [0n], nothing)
    .call('mark_linear_text_alias_ro', [], () => {
      if (left !== 'alias') boot.store(linear(textPa), textPa | prot.readOnly);
    })
    .call('mark_rodata_ro', [], () => {
      if (left !== 'rodata') boot.store(rodata, rodataPa | prot.readOnly);
    });
  return boot;
}

/** What follows from one more step. */
const after = (step: (boot: MadeBoot) => unknown, boot = protectedBoot()): string[] => {
  step(boot);
  return boot.checkpoint('init').ids;
};

t.test('a boot that does as it should', (t) => {
  t.same(protectedBoot().checkpoint('init').ids, []);
  t.same(new MadeBoot().findings(), [], 'before the first checkpoint, too');
  t.end();
});

t.test('a leaf that is writable and executable for a moment', (t) => {
  const boot = new MadeBoot();
  boot
    .time(100)
    .store(vmalloc, page | prot.data)
    .store(vmalloc + 4096n, (page + 4096n) | prot.text)
    .call('set_memory_x', [vmalloc, 1n], () =>
      boot
        .time(10)
        .store(vmalloc, page | both)
        .time(5)
        .store(vmalloc, page | prot.text),
    )
    .checkpoint('init');
  const [only, ...others] = boot.findings();
  t.same(others, []);
  t.match(only, {
    id: 'invariant/write-xor-execute/writable-executable/during@init',
    kind: 'invariant',
    checkpoint: 'init',
  });
  const { detail } = given(only);
  t.match(detail, /since 0\.000110 s, CPU 0: __set_pte\+0x4 in set_memory_x <- caller/);
  t.match(detail, /until 0\.000115 s, CPU 0: __set_pte\+0x4 in set_memory_x <- caller/);
  t.match(detail, /1 time, 4 KiB, before init/);
  t.end();
});

t.test('with rodata=off only text in the image may be both', (t) => {
  const off = () => {
    const context = soundContext();
    context.capture.variables.rodata_enabled = 0n;
    return new MadeBoot(context);
  };
  const found = 'invariant/write-xor-execute/writable-executable/during@init';
  t.same(
    after((boot) => boot.store(text, textPa | both), off()),
    [],
  );
  t.same(
    after((boot) => boot.store(vmalloc, page | both), off()),
    [found],
  );
  t.same(
    after((boot) => boot.store(linear(textPa), textPa | both), off()),
    [found],
  );
  t.end();
});

t.test('KPTI maps tables so while it rewrites them, and leaves nothing of it', (t) => {
  const rewriting = (end: (boot: MadeBoot) => unknown) =>
    after((boot) =>
      boot.call('__kpti_install_ng_mappings', [0n], () => {
        boot.store(fixmap, page | both);
        end(boot);
      }),
    );
  t.same(
    rewriting((boot) => boot.store(fixmap, 0n)),
    [],
  );
  t.same(rewriting(nothing), ['invariant/write-xor-execute/writable-executable/during@init']);
  t.end();
});

t.test('a table that is linked brings its leaves, and one that is unlinked ends them', (t) => {
  const boot = new MadeBoot();
  boot.tableOf(vmalloc, 2);
  boot.linked(vmalloc, [page | prot.data, (page + 4096n) | both]).checkpoint('init');
  const [only] = boot.findings();
  t.match(given(only).detail, /0xffff8000a0001000: pages[\s\S]*until the recording's end/);
  t.match(
    given(boot.unlinked(vmalloc).findings()[0]).detail,
    /until 0\.000000 s, CPU 0: __set_pte\+0x4/,
  );
  t.end();
});

t.test('hierarchical attributes take rights away', (t) => {
  const boot = new MadeBoot();
  boot.tableOf(vmalloc, 2);
  const noExecution = (1n << 59n) | (1n << 60n);
  boot.linked(vmalloc, [page | both], noExecution).checkpoint('init');
  t.same(boot.ids, []);
  t.end();
});

t.test('text and rodata are written through nothing once they are protected', (t) => {
  const linearAlias = `invariant/${rule}/linear-alias-writable/during@init`;
  t.same(protectedBoot('alias').checkpoint('init').ids, [linearAlias]);
  t.same(protectedBoot('rodata').checkpoint('init').ids, [
    `invariant/${rule}/rodata-writable/during@init`,
  ]);
  for (const [va, descriptor, nature] of [
    [linear(textPa), textPa | prot.data, 'linear-alias-writable'],
    [text, textPa | prot.data, 'text-writable'],
    [rodata, rodataPa | prot.data, 'rodata-writable'],
    [vmalloc, textPa | prot.data, 'other-alias-writable'],
    [0x40_0000n, textPa | prot.user, 'user-alias-writable'],
  ] as const) {
    const done = after((boot) => boot.store(va, descriptor).store(va, 0n));
    t.same(done, [`invariant/${rule}/${nature}/during@init`]);
  }
  t.same(
    after((boot) => boot.store(linear(0x4020_0000n), 0x4020_0000n | (prot.data & ~2n), 2)),
    [linearAlias],
    'a block of which text is a part',
  );
  t.end();
});

t.test('text is patched through a fixmap page, which is closed at once', (t) => {
  const patch = (boot: MadeBoot, descriptor: bigint, caller = 'patch_map.constprop.0') =>
    boot.call('__set_fixmap', [9n, textPa, 1n], () => boot.store(fixmap, descriptor), { caller });
  const open = (boot: MadeBoot) => patch(boot, textPa | prot.data);
  const other = [`invariant/${rule}/other-alias-writable/during@init`];
  t.same(
    after((boot) => patch(open(boot), 0n, '__aarch64_insn_write')),
    [],
  );
  t.same(
    after((boot) => patch(boot, textPa | prot.data, 'somebody')),
    other,
  );
  t.same(
    after((boot) => open(boot).call('set_memory_ro', [vmalloc, 0n], nothing)),
    [`invariant/${rule}/patching-left-open/during@init`],
  );
  t.same(
    after((boot) => open(boot).cpu(1).call('set_memory_ro', [vmalloc, 0n], nothing)),
    [],
    'another CPU may do what it likes',
  );
  t.end();
});

t.test('user space never writes to a table', (t) => {
  const found = ['invariant/user-mappings-safe/table-page-writable/during@init'];
  const user = 0x40_0000n;
  const boot = new MadeBoot();
  t.same(
    after(() => boot.store(user, BigInt(boot.tableOf(vmalloc)) | prot.user), boot),
    found,
  );
  const next = new MadeBoot();
  next.tableOf(user);
  const root = BigInt(next.nextTable) | prot.user;
  t.same(
    after(() => next.store(user, root).tableOf(vmalloc, 1), next),
    found,
    'a page that becomes one',
  );
  const freed = new MadeBoot();
  freed.tableOf(user);
  const pa = BigInt(freed.nextTable) | prot.user;
  t.same(
    after(() => freed.store(user, pa).store(user, 0n).tableOf(vmalloc, 1), freed),
    [],
    'not one that was unmapped before',
  );
  t.same(
    after((each) => each.store(user, BigInt(each.tableOf(vmalloc)) | prot.user | (1n << 7n))),
    [],
    'reading is another rule',
  );
  t.end();
});

t.test('an operation that returns 0 has done what it was asked for', (t) => {
  const [valid, invalid] = [page | prot.data, (page | prot.data) & ~1n];
  for (const [name, args, right, wrong, nature] of [
    ['set_direct_map_invalid_noflush', [struct], invalid, valid, 'not-invalid'],
    ['set_direct_map_default_noflush', [struct], valid, invalid, 'not-valid'],
    ['set_direct_map_default_noflush', [struct], valid, page | prot.readOnly, 'not-rw'],
    ['set_memory_valid', [linear(page), 1n, 0n], invalid, valid, 'not-invalid'],
    ['set_memory_valid', [linear(page), 1n, 1n], valid, invalid, 'not-valid'],
    ['set_memory_ro', [linear(page), 1n], page | prot.readOnly, valid, 'not-ro'],
    ['set_memory_rw', [linear(page), 1n], valid, page | prot.readOnly, 'not-rw'],
    ['set_memory_x', [linear(page), 1n], page | prot.text, page | prot.readOnly, 'not-x'],
    ['set_memory_nx', [linear(page), 1n], page | prot.readOnly, page | prot.text, 'not-nx'],
  ] as const) {
    const ids = (stored: bigint, result: bigint) => {
      const boot = protectedBoot().store(linear(page), 1n);
      boot.call(name, [...args], () => boot.store(linear(page), stored), { result });
      return boot.checkpoint('init').ids;
    };
    t.same(ids(right, 0n), [], name);
    t.ok(ids(wrong, 0n).includes(`invariant/asked-leaves/${name}-${nature}/during@init`), name);
    t.same(ids(wrong, -22n), [], `${name} that failed`);
  }
  t.end();
});

t.test('without can_set_direct_map() nothing is asked for', (t) => {
  const context = soundContext();
  context.capture.variables.rodata_full = 0n;
  context.capture.variables.kfence_early_init = 1n;
  const boot = protectedBoot(undefined, context).store(linear(page), page | prot.data);
  boot.call('set_direct_map_invalid_noflush', [struct], nothing);
  t.same(boot.checkpoint('init').ids, []);
  t.end();
});

t.test('a realm shares what it says, and the whole of it', (t) => {
  const shared = 1n << 46n;
  const ids = (name: string, second: bigint) => {
    const boot = new MadeBoot({ ...soundContext(), aliasBit: 2 ** 46 });
    const to = name.endsWith('decrypted') ? shared : 0n;
    boot.call(`realm_set_memory_${name}`, [linear(page), 2n], () =>
      boot
        .store(linear(page), page | to | prot.data)
        .store(linear(page + 4096n), (page + 4096n) | second | prot.data),
    );
    return boot.checkpoint('init').ids;
  };
  t.same([ids('decrypted', shared), ids('encrypted', 0n)], [[], []]);
  t.same(ids('decrypted', 0n), [
    'invariant/asked-leaves/realm_set_memory_decrypted-not-shared/during@init',
  ]);
  t.same(ids('encrypted', shared), [
    'invariant/asked-leaves/realm_set_memory_encrypted-not-private/during@init',
  ]);
  t.end();
});

t.test('calls that are only allowed at certain times', (t) => {
  const ids = (steps: (boot: MadeBoot) => unknown) => {
    const boot = new MadeBoot();
    steps(boot);
    return boot.checkpoint('init').ids;
  };
  const final = (boot: MadeBoot) => boot.call('__apply_alternatives_multi_stop', [0n], nothing);
  const second = (boot: MadeBoot) => boot.cpu(1).root();
  const split = (boot: MadeBoot) =>
    boot.call('split_kernel_leaf_mapping_locked', [linear(page)], nothing);
  const add = (boot: MadeBoot) => boot.call('arch_add_memory', [0n, page, 4096n], nothing);
  const rewrite = (boot: MadeBoot) => boot.call('linear_map_maybe_split_to_ptes', [0n], nothing);
  const protect = (boot: MadeBoot) => boot.call('mark_linear_text_alias_ro', [], nothing);
  t.same(ids(split), []);
  t.same(
    ids((boot) => split(second(boot))),
    ['invariant/call-times/split-before-final/during@init'],
  );
  t.same(
    ids((boot) => split(final(second(boot)))),
    [],
  );
  t.same(ids(add), []);
  t.same(
    ids((boot) => add(second(boot))),
    ['invariant/call-times/forced-pages-secondary/during@init'],
  );
  t.same(
    ids((boot) => add(final(second(boot)))),
    [],
  );
  const early = ['invariant/call-times/rewritten-before-final/during@init'];
  t.same(ids(rewrite), early);
  t.same(
    ids((boot) => rewrite(final(boot))),
    [],
  );
  t.same(
    ids((boot) => rewrite(second(final(boot)))),
    early,
  );
  t.same(ids(protect), ['invariant/call-times/alias-protected-before-patching/during@init']);
  t.end();
});
