// SPDX-License-Identifier: GPL-2.0-only
import { logLines } from './log-lines.ts';
import { type SplatHeader, type SplatKind, splatHeader } from './splat-headers.ts';

/**
 * One complaint of the kernel. The text comes from the guest: bounded in length, but with any
 * characters.
 */
export interface Splat {
  kind: SplatKind;
  /** Stable across boots for the same defect: function and file, no address, time or pid. */
  title: string;
  /** The report, without printk's prefixes. */
  lines: string[];
  /**
   * Functions from the innermost outwards, where the report has a stack; the first stack counts.
   */
  callChain: string[];
}

/** A guest in a loop of warnings must not fill the host's memory. */
const maxSplats = 200;
const maxLines = 200;
const maxFrames = 64;
/** After this many lines in a row that do not look like part of a report, the report is over. */
const maxUnrelated = 12;
/** What WARN() prints before its WARNING line. */
const maxPreface = 8;

const frame =
  /^ (?:\? )?([\w.$]{1,128})\+0x[0-9a-f]+\/0x[0-9a-f]+(?: \[[\w-]+\])?(?: \([A-Z]+\))*$/;
const programCounter = /^(?:pc|PC is at)\s*:?\s+([\w.$]{1,128})\+0x[0-9a-f]+\/0x[0-9a-f]+/;
/**
 * Innermost frames that made the report or put a task to sleep; they do not say what went wrong.
 */
const machinery =
  /^(?:dump_stack|dump_stack_lvl|dump_backtrace|show_stack|v?panic|nmi_panic|__switch_to|__schedule|schedule\w*)$/;
const related =
  /^(?:\s|$|Modules linked in:|CPU|Hardware name:|Tainted:|pstate:|pc :|lr :|sp :|x\d+\s*:|Call trace:|Code:|Mem abort info|Data abort info|swapper pgtable|user pgtable|\[[0-9a-f]{16}\]|Internal error|irq event|hardirqs|softirqs|Workqueue:|Stopper:|Kernel Offset|Memory Limit|SMP: stopping|Sending NMI|NMI backtrace|Task dump|Backtrace|rcu:|task:|PMR:|note:|kfence-#|allocated by|freed by|Showing all locks|but task|which lock|=====|-----|---\[)/;

/** A report that is still being read. */
interface OpenSplat {
  header: SplatHeader;
  lines: string[];
  callChain: string[];
  programCounter: string | undefined;
  /**
   * 'no' before the stack, 'yes' in it, 'done' after it: later stacks belong to other CPUs or show
   * how an object was allocated.
   */
  inStack: 'no' | 'yes' | 'done';
  unrelated: number;
}

/**
 * Finds the kernel's complaints in a log (console or dmesg), groups the lines of each, and names
 * it. Interleaved reports of several CPUs are separated by caller where the kernel prints it
 * (CONFIG_PRINTK_CALLER), otherwise as well as their lines allow.
 */
export function findSplats(log: string): Splat[] {
  const splats: Splat[] = [];
  const open = new Map<string, OpenSplat>();
  const prefaces = new Map<string, string[]>();
  const close = (caller: string): void => {
    const splat = open.get(caller);
    open.delete(caller);
    if (splat && splats.length < maxSplats) splats.push(finished(splat));
  };
  for (const { text, caller } of logLines(log)) {
    const current = open.get(caller);
    const header = splatHeader(text);
    if (header?.kind === 'decrypt' && prefaces.has(caller)) {
      collectPreface(prefaces, caller, text);
    } else if (header && !(current && isSameReport(current.header, header))) {
      close(caller);
      open.set(caller, begun(header, [...(prefaces.get(caller) ?? []), text]));
      prefaces.delete(caller);
    } else if (current) {
      takeLine(current, text);
      if (isEnd(current, text)) close(caller);
    } else {
      collectPreface(prefaces, caller, text);
    }
  }
  for (const caller of [...open.keys()]) close(caller);
  return splats;
}

/** WARN() prints "cut here", then its message, then WARNING. */
function collectPreface(prefaces: Map<string, string[]>, caller: string, text: string): void {
  if (/^-+\[ cut here \]-+$/.test(text)) prefaces.set(caller, []);
  const preface = prefaces.get(caller);
  if (!preface) return;
  if (preface.length > maxPreface) prefaces.delete(caller);
  else preface.push(text);
}

/** An RCU stall report has several INFO lines. */
function isSameReport(open: SplatHeader, next: SplatHeader): boolean {
  if (next.goesOn)
    return next.kind === 'cpu'
      ? open.kind === 'cpu'
      : !open.goesOn && (open.kind === 'bug' || open.kind === 'oops');
  return open.kind === 'rcu-stall' && next.kind === 'rcu-stall' && open.title === next.title;
}

function begun(found: SplatHeader, lines: string[]): OpenSplat {
  const header = found.kind === 'warning' ? { ...found, kind: warningKind(lines) } : found;
  return { header, lines, callChain: [], programCounter: undefined, inStack: 'no', unrelated: 0 };
}

/**
 * The message before some warnings makes them a kind of their own: arch/arm64/mm/ptdump.c and
 * pageattr.c.
 */
function warningKind(lines: readonly string[]): SplatKind {
  if (lines.some((line) => /Found (?:insecure W\+X|non-UXN) mapping/.test(line))) return 'w+x';
  return lines.some((line) => splatHeader(line)?.kind === 'decrypt') ? 'decrypt' : 'warning';
}

function takeLine(splat: OpenSplat, text: string): void {
  if (splat.lines.length < maxLines) splat.lines.push(text);
  splat.unrelated = related.test(text) ? 0 : splat.unrelated + 1;
  splat.programCounter ??= programCounter.exec(text)?.[1];
  const name = frame.exec(text)?.[1];
  if (name && splat.inStack !== 'done') {
    splat.inStack = 'yes';
    if (splat.callChain.length < maxFrames) splat.callChain.push(name);
  } else if (splat.inStack === 'yes') {
    splat.inStack = 'done';
  }
}

function isEnd(splat: OpenSplat, text: string): boolean {
  if (/^---\[ end (?:trace|Kernel panic)/.test(text) || splat.unrelated > maxUnrelated) return true;
  // KASAN and KFENCE put a frame around their reports.
  return (splat.header.kind === 'kasan' || splat.header.kind === 'kfence') && /^={20}/.test(text);
}

function finished(splat: OpenSplat): Splat {
  const { header, lines, programCounter: pc } = splat;
  const last = lines.findLastIndex(
    (line, index) => index === 0 || (related.test(line) && line.trim() !== ''),
  );
  const kept = lines.slice(0, last + 1);
  const callChain = pc
    ? [pc, ...splat.callChain.slice(splat.callChain[0] === pc ? 1 : 0)]
    : withoutMachinery(splat.callChain);
  const where = header.wantsFunction && callChain.length > 0 ? ` in ${callChain[0]}` : '';
  return { kind: header.kind, title: header.title + where, lines: kept, callChain };
}

function withoutMachinery(chain: readonly string[]): string[] {
  const first = chain.findIndex((name) => !machinery.test(name));
  return first === -1 ? [] : chain.slice(first);
}
