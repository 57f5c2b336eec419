import { rename, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { cachePath, exists, publishDirectory, sha256, withScratch } from './cache.ts';

/** An Image in the cache; the configuration, where there is one, lies beside it as `config`. */
export interface KeptImage {
  /** SHA-256 of the Image, by which the cache keeps it. */
  sha256: string;
  imagePath: string;
}

/**
 * Keeps a plain Image in the cache, and its configuration beside it: also where the same Image was kept without one.
 * @param config text of the configuration
 */
export async function keepImage(image: Uint8Array, config?: Uint8Array): Promise<KeptImage> {
  const digest = sha256(image);
  const directory = cachePath('kernels', digest);
  await publishDirectory(directory, (scratch) => writeFile(join(scratch, 'Image'), image));
  const configPath = join(directory, 'config');
  if (config !== undefined && !(await exists(configPath))) {
    await withScratch(async (scratch) => {
      await writeFile(join(scratch, 'config'), config);
      await rename(join(scratch, 'config'), configPath);
    });
  }
  return { sha256: digest, imagePath: join(directory, 'Image') };
}
