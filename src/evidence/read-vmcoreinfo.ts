// SPDX-License-Identifier: GPL-2.0-only
import type { VmcoreInfo } from './board.ts';
import { damagedBoard, printable } from './board-lines.ts';

/** VMCOREINFO is a page, or some: CRASH_CORE_NOTE_BYTES and what a distribution adds. */
const mostLength = 2 ** 16;

/** One value, and what its form must be. */
function field(values: ReadonlyMap<string, string>, key: string, form: RegExp): string {
  const value = values.get(key);
  if (value === undefined) throw damagedBoard(`vmcoreinfo has no ${key}`);
  if (!form.test(value)) throw damagedBoard(`${key} in vmcoreinfo is '${printable(value)}'`);
  return value;
}

const hexadecimal = /^(0x)?[0-9a-f]{1,16}$/;
const decimal = /^\d{1,9}$/;

/**
 * Parses VMCOREINFO (kernel/vmcore_info.c, arch/arm64/kernel/vmcore_info.c): lines `KEY=VALUE`.
 * @throws PtdiffError(usage) where it lacks what every arm64 kernel from 6.12 on writes
 */
export function readVmcoreInfo(bytes: Uint8Array): VmcoreInfo {
  if (bytes.length > mostLength) throw damagedBoard(`vmcoreinfo has ${bytes.length} bytes`);
  const values = new Map<string, string>();
  for (const line of String.fromCharCode(...bytes).split('\n')) {
    const at = line.indexOf('=');
    if (at > 0) values.set(line.slice(0, at), line.slice(at + 1));
  }
  const hex = (key: string): bigint => {
    const value = field(values, key, hexadecimal);
    return BigInt(value.startsWith('0x') ? value : `0x${value}`);
  };
  const number = (key: string): number => Number(field(values, key, decimal));
  const granule = number('PAGESIZE');
  const [vaBits, t1sz] = [number('NUMBER(VA_BITS)'), Number(hex('NUMBER(TCR_EL1_T1SZ)'))];
  if (![4096, 16384, 65536].includes(granule))
    throw damagedBoard(`its pages have ${granule} bytes`);
  if (vaBits < 36 || vaBits > 52 || t1sz < 12 || t1sz > 28)
    throw damagedBoard(`its virtual addresses have ${vaBits} bits, and T1SZ is ${t1sz}`);
  const buildId = values.get('BUILD-ID');
  return {
    release: field(values, 'OSRELEASE', /^[\w.+~-]{1,64}$/),
    ...(buildId !== undefined && /^[0-9a-f]{40}$/.test(buildId) && { buildId }),
    granule,
    vaBits,
    t1sz,
    kimageVoffset: hex('NUMBER(kimage_voffset)'),
    physOffset: hex('NUMBER(PHYS_OFFSET)'),
    slide: hex('KERNELOFFSET'),
    swapperPgDir: hex('SYMBOL(swapper_pg_dir)'),
  };
}
