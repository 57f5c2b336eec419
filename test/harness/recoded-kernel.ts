// SPDX-License-Identifier: GPL-2.0-only
import { createHash } from 'node:crypto';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { LoadedKernel } from '../../harness/laboratory/loaded-kernel.ts';
import { traitsOf } from '../../src/linux/traits.ts';

const [nop, ret] = [0xd503201f, 0xd65f03c0];

/**
 * A stock kernel with another machine code in one function.
 * @param directory for its Image
 */
export function recoded(
  directory: string,
  stock: LoadedKernel,
  name: string,
  change: (code: Uint32Array) => void,
): LoadedKernel {
  const image = new Uint8Array(readFileSync(stock.image.imagePath));
  const start = Number((stock.symbols.address(name) ?? 0n) - stock.symbols.textBase);
  change(new Uint32Array(image.buffer, start, Number(stock.symbols.size(name) ?? 0n) / 4));
  const imagePath = join(directory, 'Image');
  writeFileSync(imagePath, image);
  const sha256 = createHash('sha256').update(image).digest('hex');
  const description = traitsOf(stock.image.release, image, stock.symbols);
  return { ...stock, image: { ...stock.image, imagePath, sha256 }, ...description };
}

/** The linear alias of the kernel's text stays writable. */
export const withWritableAlias = (directory: string, stock: LoadedKernel): LoadedKernel =>
  // Behind what ftrace patches at the entry. What comes after the return are alternatives of other
  // functions (.subsection 1 of asm/alternative.h), without which KPTI hangs.
  recoded(directory, stock, 'mark_linear_text_alias_ro', (code) => {
    code.fill(nop, 2, code.lastIndexOf(ret)).set([ret], 2);
  });
