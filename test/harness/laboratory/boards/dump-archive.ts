// SPDX-License-Identifier: GPL-2.0-only
import { recorded } from '../../../linux/recorded-ptdump.ts';

/**
 * The members that `collect` leaves where it has nothing but the kernel's own dump: that of a real
 * guest with 128 MiB at 1 GiB.
 * @param name of the dump, a76 or v3
 * @param change what is planted in it
 */
export function dumpMembers(
  name: string,
  change: (dump: string) => string = (dump) => dump,
): Map<string, Buffer> {
  const collected = {
    ...{ schema: 1, collector: '1', source: 'ptdump', walks: 1, settled: true, uptime: 3 },
    lockdown: null,
    lost: ["Only the kernel's own dump of its tables could be had."],
  };
  const members: Record<string, string> = {
    'collect.json': `${JSON.stringify(collected)}\n`,
    iomem: '40000000-47ffffff : System RAM\n  40200000-404fffff : Kernel code\n',
    cmdline: 'console=ttyAMA0\n',
    version: 'Linux version 7.3.4 (builder@host) (gcc 14) #1 SMP PREEMPT\n',
    cpus: '0 online MIDR_EL1=414fd0b1\n',
    kernel_page_tables: change(recorded(name).dump),
  };
  return new Map(Object.entries(members).map(([member, text]) => [member, Buffer.from(text)]));
}
