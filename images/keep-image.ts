// SPDX-License-Identifier: GPL-2.0-only
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { cachePath, type Progress, sha256, sha256File } from '../host/cache.ts';
import {
  addFile,
  inspectFolder,
  publishFolder,
  type Seal,
  sealFolder,
  takeFolder,
} from '../host/sealed-folder.ts';

/** An Image in the cache; its configuration, where there is one, is beside it as `config`. */
interface KeptImage {
  /** SHA-256 of the Image, which is its key in the cache. */
  sha256: string;
  imagePath: string;
  configPath?: string;
}

/**
 * Stores a plain Image in the cache, with its configuration beside it. Also adds a configuration to
 * an Image stored without one, and replaces a damaged Image.
 * @param config text of the configuration
 */
export async function keepImage(image: Uint8Array, config?: Uint8Array): Promise<KeptImage> {
  const digest = sha256(image);
  const folder = cachePath('kernels', digest);
  const seal = await takeImageFolder(digest, undefined);
  if (seal === undefined) {
    const made = await publishFolder(folder, async (arriving) => {
      await writeFile(join(arriving, 'Image'), image);
      if (config !== undefined) await writeFile(join(arriving, 'config'), config);
    });
    return kept(digest, made);
  }
  const lacksConfig = config !== undefined && seal.files.config === undefined;
  return kept(digest, lacksConfig ? await addFile(folder, seal, 'config', config) : seal);
}

/** The Image with a hash, if the cache has it unchanged; otherwise a line says what is damaged. */
export async function keptImage(
  digest: string,
  progress?: Progress,
): Promise<KeptImage | undefined> {
  const seal = await takeImageFolder(digest, progress);
  return seal && kept(digest, seal);
}

function kept(digest: string, seal: Seal): KeptImage {
  const [imagePath, configPath] = [
    cachePath('kernels', digest, 'Image'),
    cachePath('kernels', digest, 'config'),
  ];
  return { sha256: digest, imagePath, ...(seal.files.config && { configPath }) };
}

async function takeImageFolder(
  digest: string,
  progress: Progress | undefined,
): Promise<Seal | undefined> {
  const folder = cachePath('kernels', digest);
  if ((await inspectFolder(folder)).kind === 'unsealed') await adopt(folder, digest);
  const seal = await takeFolder(folder, progress);
  return seal?.files.Image?.sha256 === digest ? seal : undefined;
}

/**
 * An Image from an older ptdiff is accepted if its hash equals its name. Its configuration is
 * accepted as it is: it is only ever compared with what the Image itself shows.
 */
async function adopt(folder: string, digest: string): Promise<void> {
  const found = await sha256File(join(folder, 'Image')).catch(() => undefined);
  if (found === digest) await sealFolder(folder);
}
