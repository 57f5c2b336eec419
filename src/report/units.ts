// SPDX-License-Identifier: GPL-2.0-only
const binaryUnits: [string, number][] = [
  ['TiB', 2 ** 40],
  ['GiB', 2 ** 30],
  ['MiB', 2 ** 20],
  ['KiB', 2 ** 10],
];

/**
 * Bytes in the largest binary unit that keeps three significant digits, e.g. '1016.88 MiB', '64
 * KiB', '0'.
 */
export function formatBytes(bytes: number): string {
  if (bytes === 0) return '0';
  const [unit, size] = binaryUnits.find(([, size]) => Math.abs(bytes) >= size) ?? ['B', 1];
  return `${Number((bytes / size).toFixed(2))} ${unit}`;
}

/**
 * Bytes in MiB with as many decimals as a 4K page needs to be visible, without the unit, e.g.
 * '1016.88', '0.004'.
 */
export function formatMebibytes(bytes: number): string {
  const mebibytes = bytes / 2 ** 20;
  if (Number.isInteger(mebibytes)) return String(mebibytes);
  return mebibytes.toFixed(Math.abs(mebibytes) < 0.1 ? 3 : 2);
}

/** A virtual address, 16 digits, as the kernel's ptdump prints it. */
export function formatVirtual(address: bigint): string {
  return `0x${BigInt.asUintN(64, address).toString(16).padStart(16, '0')}`;
}

/** A physical address in bytes. */
export function formatPhysical(address: number): string {
  return `0x${address.toString(16).padStart(8, '0')}`;
}

/** A duration for a reader, e.g. '3.2 s', '4 min 05 s', '1 h 12 min'. */
export function formatSeconds(seconds: number): string {
  if (seconds < 10) return `${seconds.toFixed(1)} s`;
  const whole = Math.round(seconds);
  if (whole < 60) return `${whole} s`;
  if (whole < 3600) return `${Math.floor(whole / 60)} min ${String(whole % 60).padStart(2, '0')} s`;
  return `${Math.floor(whole / 3600)} h ${String(Math.floor((whole % 3600) / 60)).padStart(2, '0')} min`;
}

/** A number with commas between thousands, e.g. '1,204'. */
export function formatCount(count: number): string {
  return count.toLocaleString('en-US');
}

/** The start of a hash, where that is enough to distinguish two. */
export function shortHash(sha256: string): string {
  return sha256.slice(0, 12);
}
