// SPDX-License-Identifier: GPL-2.0-only
const units: Readonly<Record<string, number>> = { K: 2 ** 10, M: 2 ** 20, G: 2 ** 30 };

/**
 * The DirectMap lines of /proc/meminfo, which count the linear map by the size of its leaves: bytes
 * by bytes of a leaf. Empty where the kernel has none, as arm64's up to 7.3. Lines of another form
 * are skipped.
 */
export function parseDirectMap(meminfo: string): Map<number, number> {
  const found = new Map<number, number>();
  for (const line of meminfo.split('\n')) {
    const match = /^DirectMap(\d{1,4})([kKMG]): +(\d{1,15}) kB$/.exec(line);
    const unit = units[match?.[2]?.toUpperCase() ?? ''];
    if (match && unit !== undefined) found.set(Number(match[1]) * unit, Number(match[3]) * 1024);
  }
  return found;
}
