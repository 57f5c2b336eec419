// SPDX-License-Identifier: GPL-2.0-only
import { refusalTitle, variationTitle } from './cpu-messages.ts';

/** Kinds of kernel complaints. */
export type SplatKind =
  | 'warning'
  | 'bug'
  | 'oops'
  | 'kasan'
  | 'kfence'
  | 'ubsan'
  | 'rcu-stall'
  | 'lockup'
  | 'hung-task'
  | 'lockdep'
  | 'memory'
  | 'w+x'
  | 'decrypt'
  | 'cpu'
  | 'panic';

/** What the first line of a complaint says. */
export interface SplatHeader {
  kind: SplatKind;
  /** Identifies the complaint; stable: without addresses, line numbers, processes or CPUs. */
  title: string;
  /**
   * The function is part of the complaint's identity, and comes from the report's own pc or stack.
   */
  wantsFunction: boolean;
  /**
   * The line continues the report before it, where there is one: "Internal error" after "Unable to
   * handle" and "BUG at".
   */
  goesOn: boolean;
}

/** What the groups of an expression matched; empty where it has fewer. */
type Groups = readonly [first: string, second: string];

interface Pattern {
  kind: SplatKind;
  line: RegExp;
  title(groups: Groups): string;
  wantsFunction?: true;
  goesOn?: true;
}

/** "%pS": name+0xoffset/0xsize, maybe with the module in brackets. */
const place = String.raw`([\w.$]{1,128})(?:\+0x[0-9a-f]+\/0x[0-9a-f]+)?`;
const source = String.raw`([^\s:]{1,200}):\d+`;

/**
 * Every form of kernel complaint that ptdiff knows, specific ones before general ones, each with
 * the place in the kernel that prints it. The form of WARNING changed in 6.19 (kernel/panic.c,
 * __warn()).
 */
const patterns: readonly Pattern[] = [
  // kernel/panic.c, __warn(), up to 6.18: "WARNING: CPU: 0 PID: 1 at mm/x.c:12 func+0x0/0x0"
  {
    kind: 'warning',
    line: pattern(`WARNING: CPU: \\d+ PID: \\d+ at ${source} ${place}`),
    title: warningTitle,
  },
  {
    kind: 'warning',
    line: pattern(`WARNING: CPU: \\d+ PID: \\d+ at ${place}`),
    title: ([name]) => `WARNING in ${name}`,
  },
  // the same from 6.19: "WARNING: mm/x.c:12 at func+0x0/0x0, CPU#0: swapper/0/1"
  { kind: 'warning', line: pattern(`WARNING: ${source} at ${place}, CPU#`), title: warningTitle },
  {
    kind: 'warning',
    line: pattern(`WARNING: at ${place}, CPU#`),
    title: ([name]) => `WARNING in ${name}`,
  },
  // lib/bug.c
  {
    kind: 'bug',
    line: pattern(`kernel BUG at ${source}!`),
    title: ([file]) => `BUG at ${path(file)}`,
    wantsFunction: true,
  },
  { kind: 'bug', line: pattern(`[Kk]ernel BUG at ${place}`), title: ([name]) => `BUG in ${name}` },
  // mm/kasan/report.c, mm/kfence/report.c, lib/ubsan.c. Without their colon: what follows one is not
  // in the finding's id.
  {
    kind: 'kasan',
    line: pattern(`BUG: KASAN: ([a-z -]+) in ${place}`),
    title: ([what, name]) => `KASAN ${what} in ${name}`,
  },
  {
    kind: 'kfence',
    line: pattern(`BUG: KFENCE: ([a-z -]+) in ${place}`),
    title: ([what, name]) => `KFENCE ${what} in ${name}`,
  },
  {
    kind: 'ubsan',
    line: pattern(`UBSAN: ([a-z-]+) in ${source}`),
    title: ([what, file]) => `UBSAN ${what} in ${path(file)}`,
  },
  // kernel/watchdog.c
  {
    kind: 'lockup',
    line: pattern('watchdog: BUG: soft lockup'),
    title: () => 'soft lockup',
    wantsFunction: true,
  },
  {
    kind: 'lockup',
    line: pattern('.*Watchdog detected hard LOCKUP'),
    title: () => 'hard lockup',
    wantsFunction: true,
  },
  { kind: 'lockup', line: pattern('BUG: workqueue lockup'), title: () => 'workqueue lockup' },
  // kernel/rcu/tree_stall.h, tree_exp.h. A stall interrupts any code, so the function would not be
  // stable.
  {
    kind: 'rcu-stall',
    line: pattern(String.raw`(?:rcu: )?INFO: (rcu\w*|srcu\w*) (?:self-)?detected`),
    title: ([name]) => `RCU stall: ${name}`,
  },
  // kernel/hung_task.c
  {
    kind: 'hung-task',
    line: pattern(String.raw`INFO: task .* blocked.* for more than \d+ seconds`),
    title: () => 'hung task',
    wantsFunction: true,
  },
  // kernel/locking/lockdep.c, include/linux/rcupdate.h
  {
    kind: 'lockdep',
    line: pattern(
      'WARNING: (suspicious RCU usage|possible .*|inconsistent lock state|bad .*!|held lock freed!|.*lock order detected|.* lock.* held.*|Nested lock .*|chain_key collision)',
    ),
    title: ([what]) => `lockdep: ${stableText(what)}`,
  },
  {
    kind: 'lockdep',
    line: pattern('INFO: trying to register non-static key'),
    title: () => 'lockdep: non-static key',
  },
  // mm/memory.c, kernel/fork.c, mm/page_alloc.c
  {
    kind: 'memory',
    line: pattern('BUG: (Bad [a-z -]+?)(?: in process.*| mm:.*|:.*)?$'),
    title: ([what]) => what,
  },
  {
    kind: 'memory',
    line: pattern('.{1,64}: page allocation failure'),
    title: () => 'page allocation failure',
  },
  // arch/arm64/mm/fault.c
  {
    kind: 'oops',
    line: pattern('Unable to handle kernel (.{1,80}?) at virtual address'),
    title: ([what]) => `Oops: ${what}`,
    wantsFunction: true,
  },
  // arch/arm64/kernel/traps.c
  {
    kind: 'oops',
    line: pattern('Internal error: ([^:\\[]{1,100})'),
    title: ([what]) => `Oops: ${stableText(what.replace(/^Oops - /, ''))}`,
    wantsFunction: true,
    goesOn: true,
  },
  {
    kind: 'oops',
    line: pattern('SError Interrupt on CPU'),
    title: () => 'SError interrupt',
    wantsFunction: true,
  },
  {
    kind: 'oops',
    line: pattern('Insufficient stack space to handle exception'),
    title: () => 'kernel stack overflow',
    wantsFunction: true,
  },
  // arch/arm64/mm/ptdump.c, ptdump_check_wx()
  {
    kind: 'w+x',
    line: pattern('Checked W\\+X mappings: FAILED'),
    title: () => 'W+X mappings found',
  },
  // arch/arm64/mm/pageattr.c and everything that shares pages with the host of a realm
  {
    kind: 'decrypt',
    line: pattern('.{0,100}[Ff]ailed to (decrypt|encrypt) memory'),
    title: ([what]) => `failed to ${what} memory`,
  },
  // arch/arm64/kernel/cpufeature.c, verify_local_cpu_caps() and its callers
  {
    kind: 'cpu',
    line: pattern(
      String.raw`CPU features: CPU\d+: Detected conflict for capability \d+ \((.*)\), System: \d, CPU: (\d)`,
    ),
    title: ([capability, has]) => refusalTitle(printable(capability), has === '1'),
  },
  {
    kind: 'cpu',
    line: pattern(String.raw`CPU features: SANITY CHECK: Unexpected variation in (\w{1,40})`),
    title: ([register]) => variationTitle(register),
  },
  {
    kind: 'cpu',
    line: pattern('CPU features: Unsupported CPU feature variation'),
    title: () => 'unsupported variation of CPU features',
    goesOn: true,
  },
  {
    kind: 'cpu',
    line: pattern(
      String.raw`CPU features: CPU\d+: (missing HWCAP|.{1,60} mismatch|.{1,60} mismatched|Missing .{1,60})`,
    ),
    title: ([what]) => `CPU refused for ${stableText(what)}`,
  },
  // arch/arm64/kernel/smp.c, cpu_die_early() and __cpu_up()
  {
    kind: 'cpu',
    line: pattern(
      String.raw`CPU\d+: (will not boot|failed to .{1,60}|failed in unknown state|died during early boot|may not have shut down cleanly|is stuck in kernel|does not support .{1,60})`,
    ),
    title: ([what]) => `CPU ${stableText(what)}`,
    goesOn: true,
  },
  {
    kind: 'panic',
    line: pattern('Kernel panic - not syncing: (.{1,200})'),
    title: ([what]) => `panic: ${stableText(what)}`,
  },
  // All other BUG: lines (kernel/sched/core.c, kernel/locking/spinlock_debug.c …) name their file
  // after a number or not at all.
  {
    kind: 'bug',
    line: pattern('BUG: (.{1,120})'),
    title: ([what]) => `BUG: ${stableText(what)}`,
    wantsFunction: true,
  },
];

/** The complaint that a line begins, if it begins one. */
export function splatHeader(line: string): SplatHeader | undefined {
  for (const { kind, line: expression, title, wantsFunction = false, goesOn = false } of patterns) {
    const match = expression.exec(line);
    if (!match) continue;
    const [, first = '', second = ''] = match;
    return { kind, title: title([first, second]), wantsFunction, goesOn };
  }
  return undefined;
}

function pattern(text: string): RegExp {
  return new RegExp(`^${text}`);
}

function warningTitle([file, name]: Groups): string {
  return `WARNING in ${name} at ${path(file)}`;
}

/** The path inside the kernel tree: a kernel built outside its tree prints more before it. */
function path(file: string): string {
  return file.replace(
    /^(?:\/|\.\.?\/).*?(?=(?:arch|block|crypto|drivers|fs|init|io_uring|ipc|kernel|lib|mm|net|security)\/)/,
    '',
  );
}

/** Text of the kernel without characters that no terminal should get. */
function printable(text: string): string {
  return text.slice(0, 200).replaceAll(/[^\x20-\x7e]/g, '?');
}

/**
 * Free text of the kernel without what differs from boot to boot: addresses, numbers, names of
 * processes with their pid.
 */
function stableText(text: string): string {
  return text
    .replaceAll(/\b0x[0-9a-f]+\b|\b[0-9a-f]{8,16}\b|\b\d+\b/g, '#')
    .replaceAll(/[^\x20-\x7e]/g, '?')
    .trim();
}
