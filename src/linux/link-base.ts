// SPDX-License-Identifier: GPL-2.0-only
import { PtdiffError } from '../errors.ts';

/**
 * The link address of `_text` (KIMAGE_VADDR) of an arm64 Image. It depends on CONFIG_ARM64_VA_BITS
 * and the Image does not contain it: kallsyms has distances only, and relocated pointers may be
 * stored as 0. But thousands of complete addresses are stored in place, in .rela.dyn or in
 * .relr.dyn, and they agree: KIMAGE_VADDR is MODULES_END, aligned to 2 GiB since MODULES_VSIZE is 2
 * GiB (Linux 6.5), and the image is smaller. So each 64-bit word that can be a pointer into the
 * image votes, and the majority wins.
 *
 * @param words the whole Image as little-endian 32-bit words
 * @throws {PtdiffError} fault `image`, when no address gets enough votes to be believed
 */
export function kernelLinkBase(words: Uint32Array): bigint {
  const imageBytes = words.length * 4;
  const votes = new Map<number, number>();
  let total = 0;
  for (let i = 0; i + 1 < words.length; i += 2) {
    const high = words[i + 1] as number;
    if (high < 0xffff0000 || high === 0xffffffff) continue;
    const distance = (words[i] as number) - 0x80000000;
    // .bss and the initial page tables lie after the bytes of the Image, hence twice its size.
    if (distance < 0 || distance >= imageBytes * 2) continue;
    votes.set(high, (votes.get(high) ?? 0) + 1);
    total++;
  }
  const [high, count] = [...votes].reduce(
    (best, each) => (each[1] > best[1] ? each : best),
    [0, 0],
  );
  if (count < 1000 || count * 2 < total) {
    throw new PtdiffError(
      'image',
      'The Image contains no kernel addresses that agree: it is not an arm64 kernel of Linux 6.5 or later.',
    );
  }
  return (BigInt(high) << 32n) | 0x80000000n;
}
