// SPDX-License-Identifier: GPL-2.0-only

/**
 * An ELF note with a SHA-1 build ID: the sizes of name and contents, NT_GNU_BUILD_ID, and the name
 * 'GNU' (elf(5)); the 20 bytes of the ID follow.
 */
const note = Buffer.from('040000001400000003000000474e5500', 'hex');

/**
 * The build IDs in a kernel's Image, 40 hexadecimal digits each: that of the kernel (.notes of
 * arch/arm64/kernel/vmlinux.lds.S), and those of the vDSOs that are a part of it.
 */
export function buildIdsOf(image: Uint8Array): string[] {
  const bytes = Buffer.from(image.buffer, image.byteOffset, image.byteLength);
  const ids = new Set<string>();
  for (let at = bytes.indexOf(note); at >= 0; at = bytes.indexOf(note, at + 4)) {
    if (at % 4 === 0 && at + 36 <= bytes.length) ids.add(bytes.toString('hex', at + 16, at + 36));
  }
  return [...ids];
}
