// SPDX-License-Identifier: GPL-2.0-only
/** In QEMU's key=value lists a comma inside a value is doubled. */
export function escapeComma(value: string): string {
  return value.replaceAll(',', ',,');
}

/** Value of -object for memory in a file that others can read; bytes. */
export function ramBackend(id: string, path: string, bytes: number): string {
  return `memory-backend-file,id=${id},mem-path=${escapeComma(path)},size=${bytes / 2 ** 20}M,share=on`;
}
