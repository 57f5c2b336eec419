// SPDX-License-Identifier: GPL-2.0-only
import fc from 'fast-check';
import t from 'tap';
import { findSplats } from '../../src/linux/splats.ts';
import { anyCharacter } from '../any-character.ts';
import { given } from '../given.ts';
import { recordedLog } from './splat-samples.ts';

/** Kind and title of each complaint. */
function titles(log: string): string[] {
  return findSplats(log).map(({ kind, title }) => `${kind} | ${title}`);
}

t.test(
  'CPUs that differ: one complaint for all that the kernel says of a refused one',
  async (t) => {
    t.strictSame(titles(recordedLog('late-refused-6.12.107')), [
      'cpu | CPU refused for having Broken broadcast TLBI completion',
    ]);
    t.strictSame(titles(recordedLog('late-refused-7.3.4')), [
      'cpu | CPU refused for lacking BBM Level 3',
    ]);
    t.strictSame(titles(recordedLog('late-bbm3-7.3.4')), [
      'cpu | unexpected variation in SYS_ID_AA64MMFR2_EL1',
    ]);
    t.strictSame(
      titles(
        '[    2.000000] CPU1: failed to come online\n[    2.000001] CPU1: is stuck in kernel\n',
      ),
      ['cpu | CPU failed to come online'],
    );
    t.strictSame(
      titles(
        '[    2.000000] CPU features: CPU3: missing HWCAP: flagm\n[    2.1] CPU3: will not boot\n',
      ),
      ['cpu | CPU refused for missing HWCAP'],
    );
    t.strictSame(
      titles(
        '[    2.000000] CPU features: detected: BBM Level 3\n[    3.0] CPU1: Booted secondary processor\n',
      ),
      [],
    );
  },
);

const initDied = 'panic | panic: Attempted to kill init! exitcode=#';

t.test(
  'recorded logs: each complaint has one stable title, the same on every kernel',
  async (t) => {
    for (const kernel of ['6.12.107', '6.18.15', '7.3.4']) {
      t.strictSame(
        titles(recordedLog(`vfree-${kernel}`)),
        ['warning | WARNING in vfree at mm/vmalloc.c'],
        kernel,
      );
      t.strictSame(
        titles(recordedLog(`kfence-${kernel}`)),
        ['kfence | KFENCE invalid read in __arm64_sys_memfd_secret'],
        kernel,
      );
      t.strictSame(
        titles(recordedLog(`oops-${kernel}`)),
        ['oops | Oops: NULL pointer dereference in __arm64_sys_memfd_secret', initDied],
        kernel,
      );
      t.strictSame(
        titles(recordedLog(`ro-${kernel}`)),
        ['oops | Oops: write to read-only memory in __memset', initDied],
        kernel,
      );
    }
    t.strictSame(titles(recordedLog('bug-6.12.107')), [
      'bug | BUG at mm/vmalloc.c in vunmap',
      initDied,
    ]);
    t.strictSame(titles(recordedLog('bug-7.3.4')), [
      'bug | BUG at mm/vmalloc.c in vunmap',
      'warning | WARNING in __switch_to at arch/arm64/kernel/process.c',
      initDied,
    ]);
    t.strictSame(titles(recordedLog('lockup-6.12.107')), [
      'rcu-stall | RCU stall: rcu_sched',
      'lockup | soft lockup in __arm64_sys_memfd_secret',
      'rcu-stall | RCU stall: rcu_sched',
      'lockup | soft lockup in __arm64_sys_memfd_secret',
      'rcu-stall | RCU stall: rcu_sched',
      'lockup | soft lockup in __arm64_sys_memfd_secret',
    ]);
    t.strictSame(titles(recordedLog('wx-7.3.4')), [
      'w+x | WARNING in note_page at arch/arm64/mm/ptdump.c',
      'w+x | W+X mappings found',
    ]);
    t.strictSame(titles(recordedLog('noinit-7.3.4')), [
      'panic | panic: VFS: Unable to mount root fs on unknown-block(#,#)',
    ]);
  },
);

t.test('a healthy boot has no complaint', async (t) => {
  t.strictSame(findSplats(recordedLog('healthy-7.3.4')), []);
});

t.test('call chains run from the innermost function outwards', async (t) => {
  const warning = given(findSplats(recordedLog('vfree-7.3.4'))[0]);
  t.strictSame(warning.callChain, [
    'vfree',
    'invoke_syscall',
    'el0_svc_common.constprop.0',
    'do_el0_svc',
    'el0_svc',
    'el0t_64_sync_handler',
    'el0t_64_sync',
  ]);
  t.strictSame(
    given(findSplats(recordedLog('vfree-6.12.107'))[0]).callChain,
    warning.callChain,
    'with and without "(P)"',
  );
  t.equal(
    given(findSplats(recordedLog('noinit-7.3.4'))[0]).callChain.includes('kernel_init'),
    true,
  );
});

t.test("a report holds its own lines, and WARN()'s message in front", async (t) => {
  const warning = given(findSplats(recordedLog('vfree-7.3.4'))[0]);
  t.match(warning.lines[0], /cut here/);
  t.match(warning.lines[1], /^Trying to vfree\(\)/);
  t.match(warning.lines.at(-1), /end trace/);
  t.notOk(
    warning.lines.some((line) => /^\[ *\d+\.\d+\]/.test(line)),
    'no time stamps',
  );
  const stall = given(findSplats(recordedLog('lockup-6.12.107'))[0]);
  t.match(stall.lines.at(-1), /el0t_64_sync/, 'a report without an end mark ends with its stack');
});

/**
 * For complaints that could not be provoked: the kernel's format strings (the file is named),
 * filled in.
 */
const formats: [log: string, expected: string][] = [
  [
    'WARNING: CPU: 1 PID: 77 at mm/kfence/core.c:1 foo+0x8/0x20 [some_module]',
    'warning | WARNING in foo at mm/kfence/core.c',
  ], // kernel/panic.c, 6.12
  ['WARNING: CPU: 1 PID: 77 at foo.isra.0+0x8/0x20', 'warning | WARNING in foo.isra.0'],
  ['WARNING: at foo+0x8/0x20, CPU#1: kworker/u4:1/77', 'warning | WARNING in foo'], // kernel/panic.c, 7.3
  [
    'WARNING: /build/linux/arch/arm64/mm/mmu.c:9 at foo+0x8/0x20, CPU#1: a b/77',
    'warning | WARNING in foo at arch/arm64/mm/mmu.c',
  ],
  ['BUG: KASAN: slab-out-of-bounds in foo+0x8/0x20', 'kasan | KASAN slab-out-of-bounds in foo'], // mm/kasan/report.c
  ['BUG: KASAN: global-out-of-bounds in foo+0x8/0x20', 'kasan | KASAN global-out-of-bounds in foo'],
  [
    'UBSAN: array-index-out-of-bounds in drivers/x.c:12:3',
    'ubsan | UBSAN array-index-out-of-bounds in drivers/x.c',
  ], // lib/ubsan.c
  [
    'BUG: Bad rss-counter state mm:00000000f00df00d type:MM_ANONPAGES val:3',
    'memory | Bad rss-counter state',
  ], // kernel/fork.c, 6.12
  ['BUG: Bad page state in process init  pfn:45000', 'memory | Bad page state'], // mm/page_alloc.c
  [
    'init: page allocation failure: order:9, mode:0xcc0(GFP_KERNEL)',
    'memory | page allocation failure',
  ],
  ['INFO: task init:1 blocked for more than 120 seconds.', 'hung-task | hung task'], // kernel/hung_task.c
  ['INFO: task init:1 blocked in I/O wait for more than 120 seconds.', 'hung-task | hung task'],
  ['rcu: INFO: rcu_preempt detected stalls on CPUs/tasks:', 'rcu-stall | RCU stall: rcu_preempt'], // kernel/rcu/tree_stall.h
  [
    'rcu: INFO: rcu_preempt detected expedited stalls on CPUs/tasks: { 0-...D }',
    'rcu-stall | RCU stall: rcu_preempt',
  ],
  ['CPU0: Watchdog detected hard LOCKUP on cpu 1', 'lockup | hard lockup'], // kernel/watchdog.c
  [
    'WARNING: possible circular locking dependency detected',
    'lockdep | lockdep: possible circular locking dependency detected',
  ],
  ['WARNING: suspicious RCU usage', 'lockdep | lockdep: suspicious RCU usage'], // kernel/locking/lockdep.c
  [
    'WARNING: HARDIRQ-safe -> HARDIRQ-unsafe lock order detected',
    'lockdep | lockdep: HARDIRQ-safe -> HARDIRQ-unsafe lock order detected',
  ],
  [
    'Internal error: synchronous external abort: 0000000096000410 [#1]  SMP',
    'oops | Oops: synchronous external abort',
  ], // arch/arm64/kernel/traps.c
  ['SError Interrupt on CPU0, code 0x00000000be000011 -- SError', 'oops | SError interrupt'],
  [
    'Unable to handle kernel paging request at virtual address ffff800000000000',
    'oops | Oops: paging request',
  ], // arch/arm64/mm/fault.c
  [
    'BUG: scheduling while atomic: init/1/0x00000002',
    'bug | BUG: scheduling while atomic: init/#/#',
  ], // kernel/sched/core.c
  ['its: failed to decrypt memory', 'decrypt | failed to decrypt memory'],
];

t.test('formats of the kernel source', async (t) => {
  for (const [line, expected] of formats) {
    t.strictSame(titles(line), [expected], line);
    t.strictSame(
      titles(`<4>[   12.345678][  T123] ${line}\n`),
      [expected],
      `${line} with prefixes`,
    );
  }
});

t.test('a WARN about sharing memory is one complaint, of its own kind', async (t) => {
  const log = [
    '------------[ cut here ]------------',
    'Failed to decrypt memory, 16 pages will be leaked', // arch/arm64/mm/pageattr.c
    'WARNING: arch/arm64/mm/pageattr.c:342 at realm_set_memory_decrypted+0x8/0x20, CPU#0: swapper/0/1',
  ].join('\n');
  t.strictSame(titles(log), [
    'decrypt | WARNING in realm_set_memory_decrypted at arch/arm64/mm/pageattr.c',
  ]);
});

t.test('two CPUs that report at once are told apart by caller', async (t) => {
  const log = [
    '[    1.000001][    T1] WARNING: CPU: 0 PID: 1 at mm/a.c:1 alpha+0x8/0x20',
    '[    1.000002][   T22] WARNING: CPU: 1 PID: 22 at mm/b.c:1 beta+0x8/0x20',
    '[    1.000003][    T1] Call trace:',
    '[    1.000003][    T1]  alpha+0x8/0x20',
    '[    1.000004][   T22] Call trace:',
    '[    1.000004][   T22]  beta+0x8/0x20 (P)',
    '[    1.000005][    T1]  alpha_caller+0x8/0x20',
    '[    1.000006][   T22]  beta_caller+0x8/0x20',
    '[    1.000007][    T1] ---[ end trace 0000000000000000 ]---',
    '[    1.000008][   T22] ---[ end trace 0000000000000000 ]---',
  ].join('\n');
  t.strictSame(
    findSplats(log).map(({ title, callChain }) => [title, callChain]),
    [
      ['WARNING in alpha at mm/a.c', ['alpha', 'alpha_caller']],
      ['WARNING in beta at mm/b.c', ['beta', 'beta_caller']],
    ],
  );
});

t.test('the same log with other times, addresses and pids has the same titles', async (t) => {
  const log = recordedLog('oops-7.3.4');
  const other = log
    .replaceAll(/\[ *\d+\.\d+\]/g, '[  999.000001]')
    .replaceAll(/\b[0-9a-f]{16}\b/g, 'ffff8000deadbeef')
    .replaceAll('PID: 1 ', 'PID: 4242 ');
  t.strictSame(titles(other), titles(log));
});

t.test('hostile logs give bounded results', async (t) => {
  const flood = 'WARNING: CPU: 0 PID: 1 at mm/a.c:1 alpha+0x8/0x20\n'.repeat(5000);
  t.equal(findSplats(flood).length, 200);
  const long = findSplats(`BUG: ${'x'.repeat(1 << 20)}\n${'  y\n'.repeat(10_000)}`);
  t.ok(given(long[0]).title.length < 300);
  t.ok(given(long[0]).lines.length <= 201);
  t.ok(given(long[0]).lines.every((line) => line.length <= 1024));
  t.match(given(findSplats('BUG: \x1b[31mred\x07')[0]).title, /^[ -~]*$/, 'a title is printable');
  fc.assert(
    fc.property(fc.string({ maxLength: 2000, unit: anyCharacter }), (log) =>
      Array.isArray(findSplats(log)),
    ),
  );
});
