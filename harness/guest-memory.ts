import { ramBase } from './qemu-command.ts';
import type { RamFile } from './ram-file.ts';

/** Guest RAM by an address that a guest may have made up: undefined for what is no RAM. */
export function readRam(ram: RamFile, pa: number, bytes: number): Buffer | undefined {
  return pa >= ramBase && pa + bytes <= ramBase + ram.size ? ram.read(pa, bytes) : undefined;
}
