// SPDX-License-Identifier: GPL-2.0-only
import { statSync } from 'node:fs';
import { onHost } from '../../host/host-file.ts';
import { PtdiffError } from '../../src/errors.ts';
import { type LoadPlaces, loadPlaces } from '../../src/scenario/load-places.ts';
import type { CaseSetup } from './case-setup.ts';
import { imageNeeds } from './image-anchor.ts';

/**
 * Where the files of a case are loaded; those of an earlier boot lie where they did.
 * @throws PtdiffError('usage') where the machine's memory has no place for them
 */
export function placeFiles({
  kernel,
  initramfs,
  machine,
  blobs,
}: Pick<CaseSetup, 'kernel' | 'initramfs' | 'machine' | 'blobs'>): LoadPlaces {
  const sizes = {
    ...imageNeeds(kernel.imagePath),
    initramfs: onHost(initramfs, () => statSync(initramfs).size),
  };
  const places = blobs?.monitor?.places ?? loadPlaces(machine, sizes);
  if (places) return places;
  const mib = (bytes: number): string => `${Math.ceil(bytes / 2 ** 20)} MiB`;
  throw new PtdiffError(
    'usage',
    `The memory of the scenario is in too many pieces: there is no place for the kernel (${mib(sizes.image)}), its RAM disk (${mib(sizes.initramfs)}) and the device tree (2 MiB); give it a larger piece without holes${machine.firmware ? '' : ', or a firmware, which loads them anywhere'}.`,
  );
}
