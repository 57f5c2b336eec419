// SPDX-License-Identifier: GPL-2.0-only
import { bit, field } from '../../src/vmsa/bits.ts';
import type { GdbClient } from '../emulator/gdb.ts';
import type { RunningKernel } from './capture-checkpoint.ts';

/**
 * The kernel's deepest call chains are shorter, including an interrupt on top of them; a damaged
 * stack may be circular.
 */
const maximumPlaces = 32;

/**
 * FRAME_META_TYPE_PT_REGS (arch/arm64/include/asm/stacktrace/frame.h, since 6.13): the record is
 * inside a struct pt_regs.
 */
const ptRegsRecord = 2n;

/**
 * Bytes from regs[29] of a struct pt_regs, and from its pc, to its record
 * (arch/arm64/include/asm/ptrace.h, since 6.13).
 */
const regs29ToRecord = 64n;
/** Bytes from regs[29] to the end of pc: x29, x30, sp, pc. */
const interruptedBytes = 32;

const registerNames = ['pc', 'x29', 'x30', 'ELR_EL1', 'TCR_EL1'] as const;

/** A place in a call chain. */
interface Place {
  address: bigint;
  /**
   * `next`: the instruction that runs next; `return`: the return address of a call; `link`: the
   * value of x30, which may be stale.
   */
  kind: 'next' | 'return' | 'link';
}

interface NamedPlace extends Place {
  /** Name of the function; absent outside the Image, such as in a module. */
  name?: string;
  text: string;
}

/** How a stack is read. */
interface Stack {
  /** Undefined where there is no memory. */
  read(address: bigint, bytes: number): Promise<Buffer | undefined>;
  /** Whether an address is in the assembly code that every exception passes on entry and exit. */
  isEntry(address: bigint): boolean;
  withoutPac(address: bigint): bigint;
}

/**
 * The call chain of a stopped CPU, innermost first, through interrupts to what they interrupted: a
 * CPU that spins may be found in the handler of its timer. An address without a symbol is shown as
 * it is.
 */
export async function callTrace(
  gdb: GdbClient,
  thread: string,
  kernel: RunningKernel,
): Promise<string> {
  const { TCR_EL1, ELR_EL1, pc, x29, x30 } = await gdb.requireRegisters(thread, registerNames);
  const stack: Stack = {
    read: (address, bytes) => gdb.peekMemory(thread, address, bytes),
    isEntry: (address) => isEntryText(address, kernel),
    withoutPac: (address) => withoutPac(address, TCR_EL1),
  };
  const saved = await unwind(stack, pc, x29);
  // On entry to and exit from an exception, only ELR_EL1 holds the interrupted address.
  const unsaved = stack.isEntry(pc) && saved[0]?.address !== ELR_EL1;
  const inner = unsaved
    ? [next(pc), ...interrupted(stack, ELR_EL1, x30)]
    : interrupted(stack, pc, x30);
  return [...inner, ...saved]
    .map((place) => nameOf(place, kernel))
    .filter(
      (each, index, all) =>
        each.kind !== 'link' || isCaller(each, all[index - 1], all[index + 1], stack),
    )
    .map(({ text }) => text)
    .join(' < ');
}

/**
 * x30 holds the return address of a function, unless a call that the function made has changed it,
 * or a frame record has the same value.
 */
function isCaller(
  link: NamedPlace,
  inner: NamedPlace | undefined,
  outer: NamedPlace | undefined,
  { isEntry }: Stack,
): boolean {
  return link.name !== inner?.name && link.address !== outer?.address && !isEntry(link.address);
}

/**
 * The places in the frame records (AAPCS64, 6.4.6), up to the last one that can be read; `frame` is
 * the address of the first.
 */
async function unwind(stack: Stack, pc: bigint, frame: bigint): Promise<Place[]> {
  const places: Place[] = [];
  for (let at = frame; places.length < maximumPlaces; ) {
    const record = await stack.read(at, 16);
    if (record === undefined) break;
    const [outer, address] = [word(record, 0), word(record, 1)];
    if (outer !== 0n || address !== 0n) {
      // Up to 6.12 entry.S makes an ordinary record of what was interrupted, and the last record is
      // an empty one.
      const afterEntry = stack.isEntry(places.at(-1)?.address ?? pc);
      places.push(
        afterEntry ? next(address) : { address: stack.withoutPac(address), kind: 'return' },
      );
      at = outer;
      continue;
    }
    const type = await stack.read(at + 16n, 8);
    const isPtRegs = type !== undefined && word(type, 0) === ptRegsRecord;
    const regs = isPtRegs ? await stack.read(at - regs29ToRecord, interruptedBytes) : undefined;
    if (regs === undefined) break;
    // x29, x30, sp, pc
    places.push(...interrupted(stack, word(regs, 3), word(regs, 1)));
    at = word(regs, 0);
  }
  return places;
}

function next(address: bigint): Place {
  return { address, kind: 'next' };
}

function interrupted({ withoutPac }: Stack, pc: bigint, x30: bigint): Place[] {
  return [next(pc), { address: withoutPac(x30), kind: 'link' }];
}

/**
 * The exception vectors and the code that saves and restores registers (arch/arm64/kernel/entry.S,
 * .entry.text).
 */
function isEntryText(address: bigint, { symbols, slide }: RunningKernel): boolean {
  return symbols.isBetween(address - slide, '__entry_text_start', '__entry_text_end');
}

/**
 * A call may be the last instruction of its function: its return address then belongs to the next
 * function.
 */
function nameOf(place: Place, { symbols, slide }: RunningKernel): NamedPlace {
  const back = place.kind === 'next' ? 0n : 4n;
  const symbol = symbols.nameAt(place.address - slide - back);
  if (symbol === undefined) return { ...place, text: `0x${place.address.toString(16)}` };
  return {
    ...place,
    name: symbol.name,
    text: `${symbol.name}+0x${(symbol.offset + back).toString(16)}`,
  };
}

/**
 * A code address of the upper half without a pointer authentication code (Arm ARM, D8.10): all bits
 * above the virtual addresses of TTBR1 are ones.
 * @param tcr TCR_EL1, whose T1SZ gives the number of these bits
 */
export function withoutPac(address: bigint, tcr: bigint): bigint {
  const t1sz = BigInt(field(tcr, 16, 6));
  return bit(address, 55) ? address | (((1n << t1sz) - 1n) << (64n - t1sz)) : address;
}

function word(buffer: Buffer, index: number): bigint {
  return buffer.readBigUInt64LE(index * 8);
}
