// SPDX-License-Identifier: GPL-2.0-only
import type { KernelTraits } from '../linux/kernel-traits.ts';
import { modulesFor } from './devices.ts';
import type { Scenario } from './types.ts';

/**
 * Initcalls that take a noticeable part of an emulated boot and make nothing that maps, shares or
 * protects memory: checks of BTF by the functions that BPF programs may call, and certificates
 * (net/core, net/bpf, drivers/hid/bpf, kernel/bpf, kernel/sched). A kernel that lacks one leaves
 * the name alone (initcall_blacklist= in init/main.c).
 */
const idleInitcalls = [
  'bpf_ksock_kfunc_init',
  'bpf_prog_test_run_init',
  'hid_bpf_init',
  'tc_filter_init',
  'cpumask_kfunc_init',
] as const;

/**
 * load_system_certificate_list() of certs/system_keyring.c parses the keys that modules are signed
 * with.
 */
const certificates = 'load_system_certificate_list';

/**
 * Kernel parameters that leave out of a boot what has nothing to do with mappings, and makes a
 * third of it on an emulated CPU. The kernel offers them itself; test/scenario/lean.boot.test.ts
 * compares the linear maps with and without. None for a scenario that is `plain`.
 * - cryptomgr.notests: the self-tests of all ciphers (crypto/algboss.c), which init waits for in
 *   async_synchronize_full();
 * - initcall_blacklist: see above; the certificates stay where modules are loaded.
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
