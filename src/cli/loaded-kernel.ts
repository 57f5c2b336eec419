import { readFile } from 'node:fs/promises';
import type { FetchOptions } from '../../images/apt.ts';
import { type KernelImage, resolveKernel } from '../../images/kernels.ts';
import { checkConfigFile } from '../linux/image-config.ts';
import { kallsymsOfImage } from '../linux/kallsyms.ts';
import { parseKconfig } from '../linux/kconfig.ts';
import type { SymbolTable } from '../linux/symbol-table.ts';
import { type KernelTraits, traitsOf } from '../linux/traits.ts';

/** A kernel with everything that its Image tells. */
export interface LoadedKernel {
  image: KernelImage;
  symbols: SymbolTable;
  traits: KernelTraits;
}

/**
 * Brings a kernel and reads its symbols and traits.
 * @throws PtdiffError of resolveKernel(), and `image` for a kernel that the model cannot describe
 */
export async function loadKernel(spec: string, options: FetchOptions = {}): Promise<LoadedKernel> {
  return describeKernel(await resolveKernel(spec, options));
}

/**
 * Reads the symbols and traits of a kernel that is there.
 * @throws PtdiffError(image) for a kernel that the model cannot describe
 */
export async function describeKernel(image: KernelImage): Promise<LoadedKernel> {
  const bytes = await readFile(image.imagePath);
  const symbols = kallsymsOfImage(bytes);
  const traits = traitsOf(image.release, bytes, symbols);
  if (image.configPath !== undefined) {
    checkConfigFile(traits.config, parseKconfig(await readFile(image.configPath, 'utf8')));
  }
  return { image, symbols, traits };
}
