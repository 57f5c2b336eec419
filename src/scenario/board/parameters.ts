// SPDX-License-Identifier: GPL-2.0-only
import { next_arg, parameq } from '../../linux/cmdline.ts';
import { fieldInstead } from '../parameters.ts';
import { mayBeParameter } from '../schema.ts';
import type { Rodata, Scenario } from '../types.ts';
import type { Written } from './facts.ts';

/**
 * Parameters about what the emulated machine does not have: the board's consoles and disks, its
 * firmware, its user space, the numbers of its CPUs, and amounts of its memory. Names as the kernel
 * compares them, with '_' for '-'.
 */
const ofTheBoard: readonly RegExp[] = [
  /^(console|earlycon|earlyprintk|loglevel|quiet|debug|splash|fbcon|video|vt|logo|printk)\b/,
  /^(root|rootfstype|rootflags|rootwait|rootdelay|ro|rw|resume|resume_offset|noresume)$/,
  /^(init|rdinit|initrd|BOOT_IMAGE|noinitrd|load_ramdisk|swap)$/,
  /^(rd|systemd|udev|fsck|luks|cryptdevice|cryptopts|cloud_init|ds|net)\b/,
  /^(plymouth|ostree|androidboot)\b/,
  /^(ip|nfsroot|nfsaddrs|netdev|biosdevname|ifname|bootdev|BOOTIF)$/,
  /^(acpi|efi|dtb|dtb_mem|pci|pcie_\w+|iommu|arm_smmu\w*)$/,
  /^(isolcpus|nohz_full|rcu_nocbs|irqaffinity|housekeeping|kthread_cpus|numa\w*)$/,
  /^(hugepages|hugepagesz|default_hugepagesz|hugetlb_cma|kernelcore|movablecore|memmap)$/,
  /^(panic|panic_on_\w+|reboot|watchdog|nowatchdog|nmi_watchdog|hung_task_panic)$/,
  /^(modprobe|module_blacklist|apparmor|selinux|security|lsm|audit\w*|ima\w*|evm)\b/,
];

/** COMMAND_LINE_SIZE is 2048, and ptdiff adds some hundred bytes of its own. */
const mostBytes = 1200;

type Fields = Pick<Scenario, 'rodata' | 'kfenceSampleInterval' | 'kaslr' | 'parameters'>;

const cpuParameters = ['maxcpus', 'nr_cpus', 'nosmp'];

/** Whether one of some CPUs came up only after the boot: maxcpus=1, or nosmp. */
export function startsAlone(commandLine: string): boolean {
  let alone = false;
  for (const { param, val } of wordsOf(commandLine)) {
    if (parameq(param, 'nosmp')) alone = true;
    if (parameq(param, 'maxcpus')) alone = val === '0' || val === '1';
  }
  return alone;
}

/** The words of a command line as written, up to '--'. */
function wordsOf(line: string): { word: string; param: string; val: string | undefined }[] {
  const found: { word: string; param: string; val: string | undefined }[] = [];
  for (let args = line.trim(); args !== ''; ) {
    const { param, val, rest } = next_arg(args);
    if (val === undefined && param === '--') break;
    const word = args.slice(0, args.length - rest.length).trim();
    found.push({ word, param, val });
    args = rest;
  }
  return found;
}

/** The last of the words that a kernel takes, as a value of a scenario's field. */
function rodataOf(val: string | undefined): Rodata | undefined {
  return val === 'noalias' || val === 'off' ? val : undefined;
}

/**
 * The boot parameters of a board, without those that belong to its hardware and user space. What is
 * left out is named without its value: it may be a secret.
 */
export function parametersOf({
  commandLine,
  kaslr,
}: {
  commandLine: string;
  kaslr: boolean;
}): Written<Fields> {
  const fields: Fields = { rodata: 'default', kaslr, parameters: [] };
  const left = new Set<string>();
  let bytes = 0;
  for (const { word, param, val } of wordsOf(commandLine)) {
    const name = param.replaceAll('-', '_');
    if (name === 'nokaslr' || cpuParameters.includes(name)) continue;
    if (name === 'kfence.sample_interval' && /^\d{1,9}$/.test(val ?? '')) {
      fields.kfenceSampleInterval = Number(val);
      continue;
    }
    const rodata = name === 'rodata' ? rodataOf(val) : undefined;
    if (rodata !== undefined) {
      fields.rodata = rodata;
      continue;
    }
    const isKept =
      !ofTheBoard.some((names) => names.test(name)) &&
      fieldInstead(word) === undefined &&
      mayBeParameter(word) &&
      bytes + word.length < mostBytes;
    if (!isKept) {
      left.add(param);
      continue;
    }
    fields.parameters.push(word);
    bytes += word.length + 1;
  }
  const names = [...left].map((name) => name.replaceAll(/[^!-~]/g, '?').slice(0, 40));
  return {
    made: fields,
    changes: names.length === 0 ? [] : [`Parameters left out: ${names.join(', ')}.`],
  };
}
