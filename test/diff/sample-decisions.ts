// SPDX-License-Identifier: GPL-2.0-only
import type { Decisions } from '../../src/model/types.ts';

export const decisions: Decisions = {
  debugPagealloc: false,
  rodataEnabled: true,
  rodataFull: true,
  kfenceEarlyInit: false,
  bootCpuBbml: false,
  systemBbml: false,
  forcePteMapping: true,
  canSetDirectMapInMapMem: true,
  canSetDirectMap: true,
  realm: false,
  linearMapRequiresBbml: false,
  useNgMappings: false,
  kpti: false,
  lpa2: true,
};
