// SPDX-License-Identifier: GPL-2.0-only
import { contains, type PhysicalRange, roundOutward, sizedRange } from '../linux/physical-range.ts';
import { memoryRanges, RAM_BASE } from './memory.ts';
import type { Machine } from './types.ts';

const MIB = 2 ** 20;

/** What is loaded for a boot, besides the device tree; bytes. */
export interface LoadSizes {
  /** Of the Image, .bss included. */
  image: number;
  /** Where the Image wants to lie behind a multiple of 2 MiB: 0 since 5.8. */
  textOffset?: number;
  /** Of the initial RAM disk. */
  initramfs: number;
}

/** Physical addresses at which these and the device tree are loaded. */
export interface LoadPlaces {
  image: number;
  initramfs: number;
  deviceTree: number;
}

/**
 * What every scenario has room for. Of Debian's kernels since 6.12 the largest takes 51 MiB, and
 * ptdiff's RAM disk less than 1 MiB. For a larger kernel the scenario's memory may be too much in
 * pieces, which is seen when the kernel is known.
 */
export const usualSizes: LoadSizes = { image: 60 * MIB, initramfs: 2 * MIB };

/**
 * The kernel maps the 2 MiB block that contains its device tree
 * (Documentation/arch/arm64/booting.rst); a block of its own holds the largest one (MAX_FDT_SIZE).
 * The Image, too, begins in a block.
 */
const block = 2 * MIB;

/** Largest page of a kernel: arm64_memblock_init() takes whole pages for the RAM disk. */
const largestPage = 64 * 1024;

/** QEMU's boot loader at the very start of RAM, which the Image must not overlap. */
const bootLoaderBytes = 4096;

/** QEMU puts the RAM disk there, or into the middle of a smaller memory. */
const ramDiskOffset = 128 * MIB;

/** What usualSizes and the device tree take in a row, in bytes. */
export const roomInARow = usualSizes.image + usualSizes.initramfs + block;

const roundUp = (address: number, unit: number): number => Math.ceil(address / unit) * unit;

/** With the device tree in the first block behind the RAM disk. */
function withDeviceTree(image: number, initramfs: number, sizes: LoadSizes): LoadPlaces {
  return { image, initramfs, deviceTree: roundUp(initramfs + sizes.initramfs, block) };
}

/** arm_setup_direct_kernel_boot() and load_aarch64_image() of QEMU's hw/arm/boot.c. */
function placesOfQemu({ memory }: Pick<Machine, 'memory'>, sizes: LoadSizes): LoadPlaces {
  const { image: bytes, textOffset = 0 } = sizes;
  const image = RAM_BASE + textOffset + (textOffset < bootLoaderBytes ? block : 0);
  const middle = RAM_BASE + Math.min((memory * MIB) / 2, ramDiskOffset);
  return withDeviceTree(image, roundUp(Math.max(middle, image + bytes), 4096), sizes);
}

/** All in a row, from a multiple of 2 MiB on. */
function placesFrom(start: number, sizes: LoadSizes): LoadPlaces {
  const image = start + (sizes.textOffset ?? 0);
  return withDeviceTree(image, roundUp(image + sizes.image, largestPage), sizes);
}

/** What is used of memory. */
function rangesOf(places: LoadPlaces, sizes: LoadSizes): PhysicalRange[] {
  return [
    sizedRange(places.image, sizes.image),
    roundOutward(sizedRange(places.initramfs, sizes.initramfs), largestPage),
    sizedRange(places.deviceTree, block),
  ];
}

/**
 * Where kernel, RAM disk and device tree are loaded: at the places of QEMU's boot loader wherever
 * there is memory, and with a firmware otherwise as low as all of them fit in a row.
 * @returns undefined where they find no place
 */
export function loadPlaces(
  machine: Pick<Machine, 'memory' | 'holes' | 'nodes' | 'firmware'>,
  sizes: LoadSizes,
): LoadPlaces | undefined {
  const memory = memoryRanges(machine);
  const fits = (places: LoadPlaces): boolean =>
    rangesOf(places, sizes).every((range) => contains(memory, range));
  const usual = placesOfQemu(machine, sizes);
  if (fits(usual)) return usual;
  if (machine.firmware === undefined) return undefined;
  // QEMU leaves a device tree of its own at the start of RAM, also where a firmware starts.
  const starts = memory.map(({ start }) => roundUp(Math.max(start, RAM_BASE + block), block));
  return starts.map((start) => placesFrom(start, sizes)).find(fits);
}
