// SPDX-License-Identifier: GPL-2.0-only
import type { KernelTraits } from '../linux/kernel-traits.ts';
import { modulesFor } from './devices.ts';
import type { Scenario } from './types.ts';

/**
 * Initcalls that take a noticeable part of an emulated boot and do nothing that maps, shares or
 * protects memory: BTF checks of the functions that BPF programs may call, and certificates
 * (net/core, net/bpf, drivers/hid/bpf, kernel/bpf, kernel/sched). A kernel that lacks one ignores
 * the name (initcall_blacklist= in init/main.c).
 */
const idleInitcalls = [
  'bpf_ksock_kfunc_init',
  'bpf_prog_test_run_init',
  'hid_bpf_init',
  'tc_filter_init',
  'cpumask_kfunc_init',
] as const;

/**
 * load_system_certificate_list() of certs/system_keyring.c parses the keys with which modules are
 * signed.
 */
const certificates = 'load_system_certificate_list';

/**
 * Kernel parameters that skip the part of a boot that has nothing to do with mappings: a third of
 * it on an emulated CPU. The kernel offers them itself; test/scenario/lean.boot.test.ts compares
 * the linear maps with and without them. None for a `plain` scenario.
 * - cryptomgr.notests: the self-tests of all ciphers (crypto/algboss.c), which init waits for in
 *   async_synchronize_full();
 * - initcall_blacklist: see above; the certificates remain where modules are loaded.
 */
export function leanParameters(
  { plain, machine }: Pick<Scenario, 'plain' | 'machine'>,
  { builtInDrivers }: Pick<KernelTraits, 'builtInDrivers'>,
): string[] {
  if (plain) return [];
  const loadsModules = modulesFor(machine.devices, builtInDrivers).length > 0;
  const left = loadsModules ? idleInitcalls : [certificates, ...idleInitcalls];
  return ['cryptomgr.notests=1', `initcall_blacklist=${left.join(',')}`];
}
