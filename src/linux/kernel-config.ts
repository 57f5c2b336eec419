// SPDX-License-Identifier: GPL-2.0-only
import type { Granule } from '../vmsa/types.ts';

/**
 * The options that the linear map depends on, as the Image itself shows them. ptdiff does not need
 * a configuration file: the packages of old kernels are not always available, and a file may belong
 * to another build.
 */
export interface KernelConfig {
  granule: Granule;
  /** CONFIG_ARM64_VA_BITS and CONFIG_ARM64_PA_BITS. */
  vaBits: number;
  paBits: number;
  lpa2: boolean;
  kfence: boolean;
  /** CONFIG_KFENCE_SAMPLE_INTERVAL is not 0. */
  kfenceEarlyInit: boolean;
  kfenceNumObjects: number;
  /** Initial value of rodata_full. */
  rodataFull: boolean;
  strictKernelRwx: boolean;
  debugPagealloc: boolean;
  /** CONFIG_DEBUG_PAGEALLOC_ENABLE_DEFAULT. */
  debugPageallocDefault: boolean;
  /** CONFIG_CRASH_RESERVE: crashkernel= reserves memory. */
  crashReserve: boolean;
  hotplugCpu: boolean;
  randomizeBase: boolean;
  unmapKernelAtEl0: boolean;
  e0pd: boolean;
  hwAfdbm: boolean;
  haft: boolean;
  mte: boolean;
  /** CONFIG_FUJITSU_ERRATUM_010001. */
  fujitsuErratum010001: boolean;
  secretmem: boolean;
}
