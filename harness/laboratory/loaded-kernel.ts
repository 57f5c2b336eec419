// SPDX-License-Identifier: GPL-2.0-only
import { readFile } from 'node:fs/promises';
import { readRegularText } from '../../host/read-file.ts';
import { timed } from '../../host/timed.ts';
import type { FetchOptions } from '../../images/debian/apt.ts';
import type { KernelImage } from '../../images/kernel-image.ts';
import { resolveKernel } from '../../images/kernels.ts';
import type { Assumption } from '../../src/linux/assumptions.ts';
import { buildIdsOf } from '../../src/linux/build-id.ts';
import { checkConfigFile, correctByFile, settleByFile } from '../../src/linux/config-file.ts';
import { kallsymsOfImage } from '../../src/linux/kallsyms.ts';
import { parseKconfig } from '../../src/linux/kconfig.ts';
import type { KernelTraits } from '../../src/linux/kernel-traits.ts';
import type { SymbolTable } from '../../src/linux/symbol-table.ts';
import { type KernelDescription, traitsOf } from '../../src/linux/traits.ts';

/** A kernel with everything that its Image shows. */
export interface LoadedKernel {
  image: KernelImage;
  symbols: SymbolTable;
  traits: KernelTraits;
  /** What the Image does not show; the traits follow the release's rule. */
  assumptions: Assumption[];
  /** What is not known about this kernel, as ends of a sentence. */
  notKnown: string[];
  /** The build IDs in its Image: its own, and those of its vDSOs. */
  buildIds: string[];
}

/**
 * Loads a kernel and reads its symbols and traits.
 * @throws PtdiffError of resolveKernel(), and `image` for a kernel that the model cannot describe
 */
export async function loadKernel(spec: string, options: FetchOptions = {}): Promise<LoadedKernel> {
  return describeKernel(await resolveKernel(spec, options));
}

/**
 * A description completed from the kernel's configuration. A configuration of another build is
 * refused if the user named it.
 */
async function withConfig(
  description: KernelDescription,
  image: KernelImage,
): Promise<KernelDescription> {
  if (image.configPath === undefined) return description;
  const file = parseKconfig(await readRegularText(image.configPath));
  const { config, assumptions } = settleByFile(
    description.traits.config,
    description.assumptions,
    file,
  );
  if (image.flavour === 'local') checkConfigFile(config, file);
  const corrected = correctByFile(config, file);
  return {
    traits: { ...description.traits, config: corrected.config },
    assumptions,
    notKnown: [...description.notKnown, ...corrected.notKnown],
  };
}

/**
 * Reads the symbols and traits of a kernel that has been resolved.
 * @throws PtdiffError(image) for anything but an arm64 Image with a complete symbol table, or for
 * one with the configuration of another build
 */
export async function describeKernel(image: KernelImage): Promise<LoadedKernel> {
  const bytes = await readFile(image.imagePath);
  return timed('reading kernels', async () => {
    const symbols = kallsymsOfImage(bytes);
    const description = traitsOf(image.release, bytes, symbols);
    const described = await withConfig(description, image);
    return { image, symbols, ...described, buildIds: buildIdsOf(bytes) };
  });
}
