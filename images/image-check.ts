// SPDX-License-Identifier: GPL-2.0-only
import { PtdiffError } from '../src/errors.ts';
import { type ImageHeader, imageHeader, imageHeaderBytes } from '../src/linux/image-header.ts';
import { unpackImage } from './unpack-image.ts';

/** An arm64 Image that passed the checks. */
interface CheckedImage {
  /** The plain Image, unpacked if the file was compressed: Image.gz, or an EFI image. */
  bytes: Buffer;
  header: ImageHeader;
  /** `uname -r`, from the Image's own banner. */
  release: string;
  /** True when `bytes` differs from the file's contents because the file was compressed. */
  unpacked: boolean;
}

/**
 * Makes sure that a file is a complete arm64 Image, as QEMU's `-kernel` and the kernel's own boot
 * protocol require.
 * @param name how messages should call it, e.g. its path
 * @throws `image`, one sentence that says what it is instead and what to do
 */
export function checkImage(file: Buffer, name: string): CheckedImage {
  const { bytes, unpacked } = unpackImage(file, name);
  const other = otherKind(bytes);
  if (other !== undefined) {
    throw new PtdiffError('image', `${name} is ${other}.`);
  }
  const header = imageHeader(bytes.subarray(0, imageHeaderBytes));
  if (header === undefined) {
    throw new PtdiffError(
      'image',
      `${name} is not an arm64 kernel Image (no "ARM\\x64" at offset 0x38): name the arch/arm64/boot/Image of a build.`,
    );
  }
  checkWhole(bytes, header, name);
  const release = bannerRelease(bytes);
  if (release === undefined) {
    throw new PtdiffError(
      'image',
      `${name} has an arm64 Image header, but no "Linux version" banner: it is not Linux.`,
    );
  }
  return { bytes, header, release, unpacked };
}

/** Files that people pass by mistake, recognized by their magic numbers. */
function otherKind(bytes: Buffer): string | undefined {
  if (bytes.length === 0) {
    return 'an empty file';
  }
  // Documentation/arch/x86/boot.rst: "HdrS" at 0x202.
  if (bytes.length > 0x206 && bytes.toString('latin1', 0x202, 0x206) === 'HdrS') {
    return 'an x86 kernel (bzImage); ptdiff boots arm64 kernels only';
  }
  if (bytes.toString('latin1', 0, 4) === '\x7fELF') {
    const machine = bytes.length > 20 ? bytes.readUInt16LE(18) : 0;
    return machine === 183
      ? 'an ELF file, such as vmlinux; name the arch/arm64/boot/Image of the same build'
      : 'an ELF file that is not for arm64; name an arm64 Image';
  }
  return undefined;
}

function checkWhole(bytes: Buffer, header: ImageHeader, name: string): void {
  // image_size includes .bss, which the file does not contain; the PE header says where the last
  // section of the file ends.
  if (header.fileSize !== undefined && bytes.length < header.fileSize) {
    throw new PtdiffError(
      'image',
      `${name} is truncated: its header promises ${header.fileSize} bytes and it has ${bytes.length}; copy or download it again.`,
    );
  }
  if (header.imageSize !== 0 && bytes.length > header.imageSize) {
    throw new PtdiffError(
      'image',
      `${name} has ${bytes.length} bytes, more than the ${header.imageSize} that its header says it needs in memory: it is not a plain Image.`,
    );
  }
  if (header.bigEndian) {
    throw new PtdiffError(
      'image',
      `${name} is a big-endian kernel, which ptdiff cannot read; build it little-endian.`,
    );
  }
}

/**
 * The release of linux_banner (init/version-timestamp.c): the text after "Linux version ". Text
 * that looks like a release is preferred, since the banner may not be the first text that begins
 * like this.
 */
function bannerRelease(bytes: Buffer): string | undefined {
  const prefix = 'Linux version ';
  let other: string | undefined;
  for (let at = bytes.indexOf(prefix); at >= 0; at = bytes.indexOf(prefix, at + 1)) {
    const text = bytes.toString('latin1', at + prefix.length, at + prefix.length + 80);
    const release = /^(\S+) \(/.exec(text)?.[1];
    if (release !== undefined && /^\d+\.\d+/.test(release)) return release;
    // Not the format string of the banner.
    if (release !== undefined && /^\w[\w.+~-]*$/.test(release)) other ??= release;
  }
  return other;
}
