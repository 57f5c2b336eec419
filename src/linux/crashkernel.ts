// SPDX-License-Identifier: GPL-2.0-only
import { byRelease } from './changes/index.ts';
import { memparse } from './cmdline.ts';
import { ULLONG_MAX } from './kstrtox.ts';
import type { Release } from './release.ts';

/** What crashkernel= requests, in bytes. */
export interface CrashkernelRequest {
  size: bigint;
  /** Requested address; 0 means anywhere. */
  base: bigint;
  /** crashkernel=SIZE,high: above 4 GiB where there is memory, with `lowSize` below. */
  high: boolean;
  lowSize: bigint;
}

/** Why a parser gave up: -ENOENT lets parse_crashkernel() look for another form. */
type Refusal = 'ENOENT' | 'EINVAL';
type Parsed = { size: bigint; base: bigint; refusal?: Refusal };

const refused = (refusal: Refusal, size = 0n): Parsed => ({ size, base: 0n, refusal });

/** DEFAULT_CRASH_KERNEL_LOW_SIZE of include/linux/crash_reserve.h; arm64 has no other. */
export const DEFAULT_CRASH_KERNEL_LOW_SIZE = 128n << 20n;

/** suffix_tbl; `,cma` is new in 6.17, and an unknown suffix before. */
function suffixes(release: Release): string[] {
  return byRelease(release, 'crashkernel-cma') ? [',high', ',low', ',cma'] : [',high', ',low'];
}

/**
 * get_last_crashkernel(): it uses strstr(), so quotes, '--' and the text before the name do not
 * matter. Returns the text from the value on.
 */
function lastCrashkernel(
  line: string,
  suffix: string | undefined,
  release: Release,
): string | undefined {
  const name = 'crashkernel=';
  let last: string | undefined;
  for (let at = line.indexOf(name); at >= 0; at = line.indexOf(name, at + 1)) {
    const [word = ''] = line.slice(at).split(' ', 1);
    const wanted = suffix
      ? word.endsWith(suffix)
      : !suffixes(release).some((known) => word.endsWith(known));
    if (wanted) last = word.slice(name.length);
  }
  return last;
}

/**
 * parse_crashkernel_simple(): SIZE[@OFFSET]. Any text may follow an offset, and an offset that is
 * not a number is 0.
 */
function parseSimple(text: string, release: Release): Parsed {
  const size = memparse(text, release);
  if (size.length === 0) return refused('EINVAL');
  const rest = text.slice(size.length);
  if (rest.startsWith('@'))
    return { size: size.value, base: memparse(rest.slice(1), release).value };
  return rest === '' ? { size: size.value, base: 0n } : refused('EINVAL', size.value);
}

/**
 * parse_crashkernel_mem(): START-[END]:SIZE[,…][@OFFSET]. The first range that holds the size of
 * the system's memory counts.
 */
function parseRanges(text: string, systemRam: bigint, release: Release): Parsed {
  const unit = 128n << 20n;
  const total = ((systemRam + unit - 1n) / unit) * unit;
  let rest = text;
  const number = (): bigint | undefined => {
    const { value, length } = memparse(rest, release);
    rest = rest.slice(length);
    return length === 0 ? undefined : value;
  };
  const take = (character: string): boolean => {
    const there = rest.startsWith(character);
    if (there) rest = rest.slice(1);
    return there;
  };
  do {
    const start = number();
    if (start === undefined || !take('-')) return refused('EINVAL');
    const end = rest.startsWith(':') ? ULLONG_MAX : number();
    if (end === undefined || end <= start || !take(':')) return refused('EINVAL');
    const size = number();
    if (size === undefined || size >= total) return refused('EINVAL');
    if (total >= start && total < end) return withOffset(size, rest, release);
  } while (take(','));
  return { size: 0n, base: 0n };
}

/** The offset after the list of ranges. */
function withOffset(size: bigint, rest: string, release: Release): Parsed {
  const at = rest.indexOf('@');
  if (size === 0n || at < 0) return { size, base: 0n };
  const offset = memparse(rest.slice(at + 1), release);
  return { size, base: offset.value, ...(offset.length === 0 && { refusal: 'EINVAL' as const }) };
}

/** parse_crashkernel_suffix(): SIZE,high and the like. */
function parseSuffix(text: string, suffix: string, release: Release): Parsed {
  const size = memparse(text, release);
  if (size.length === 0) return refused('EINVAL');
  return text.slice(size.length) === suffix
    ? { size: size.value, base: 0n }
    : refused('EINVAL', size.value);
}

/** __parse_crashkernel() */
function parseForm(
  line: string,
  systemRam: bigint,
  suffix: string | undefined,
  release: Release,
): Parsed {
  const text = lastCrashkernel(line, suffix, release);
  if (text === undefined) return refused('ENOENT');
  if (suffix) return parseSuffix(text, suffix, release);
  return text.includes(':') ? parseRanges(text, systemRam, release) : parseSimple(text, release);
}

/**
 * parse_crashkernel() of kernel/crash_reserve.c. arch_reserve_crashkernel() (arch/arm64/mm/init.c)
 * calls it, and does nothing when it fails. A form without a suffix comes first, even if it is
 * refused; then SIZE,high with SIZE,low. SIZE,cma does not go into crashk_res.
 * @param line the whole command line
 * @param systemRam memblock_phys_mem_size() in bytes: with no-map memory
 * @returns undefined where the kernel reserves nothing
 */
export function parse_crashkernel(
  line: string,
  systemRam: bigint,
  release: Release,
): CrashkernelRequest | undefined {
  const accepted = (size: bigint): boolean => size > 0n && size < systemRam;
  const plain = parseForm(line, systemRam, undefined, release);
  if (plain.refusal !== 'ENOENT') {
    const taken = plain.refusal === undefined && accepted(plain.size);
    return taken ? { size: plain.size, base: plain.base, high: false, lowSize: 0n } : undefined;
  }
  const high = parseForm(line, 0n, ',high', release);
  if (high.refusal || !accepted(high.size)) return undefined;
  const low = parseForm(line, 0n, ',low', release);
  if (low.refusal === 'EINVAL') return undefined;
  const lowSize = low.refusal === 'ENOENT' ? DEFAULT_CRASH_KERNEL_LOW_SIZE : low.size;
  return { size: high.size, base: 0n, high: true, lowSize };
}
