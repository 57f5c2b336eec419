// SPDX-License-Identifier: GPL-2.0-only
import { aliasedIpaBits, hasDmaAlias } from '../../src/scenario/address-space.ts';
import type { DeviceName } from '../../src/scenario/devices.ts';
import { RAM_BASE } from '../../src/scenario/memory.ts';
import type { Machine } from '../../src/scenario/types.ts';
import { escapeComma, ramBackend } from './qemu-options.ts';

/**
 * QEMU's arguments for devices that do DMA. Each takes the addresses that the kernel maps for it
 * (VIRTIO_F_ACCESS_PLATFORM, Virtual I/O Device 1.2, 6.1), so it is the same device in both worlds.
 *
 * @param data path of a file with the data that disk, console and source of randomness deliver
 */
export function deviceArguments(devices: readonly DeviceName[], data: string): string[] {
  const file = escapeComma(data);
  const virtio = (model: string, options: string) => [
    '-device',
    `${model},iommu_platform=on,disable-legacy=on${options}`,
  ];
  const each: Record<DeviceName, string[]> = {
    'virtio-console': [
      ...['-chardev', `file,id=port,path=/dev/null,input-path=${file}`],
      ...virtio('virtio-serial-pci', ''),
      ...['-device', 'virtserialport,chardev=port'],
    ],
    'virtio-blk': [
      ...['-blockdev', `driver=file,node-name=disk,filename=${file},read-only=on`],
      ...virtio('virtio-blk-pci', ',drive=disk'),
    ],
    'virtio-rng': [
      ...['-object', `rng-random,id=source,filename=${file}`],
      ...virtio('virtio-rng-pci', ',rng=source'),
    ],
    'virtio-net': [
      ...['-netdev', 'user,id=net,restrict=on,ipv6=off'],
      // A boot ROM would be a file that the guest's machine depends on.
      ...virtio('virtio-net-pci', ',netdev=net,romfile='),
    ],
  };
  return devices.flatMap((device) => each[device]);
}

/**
 * The value of -m; it leaves room for the alias as hot-plugged memory.
 * @param bytes RAM of guest and monitor
 */
export function memoryArgument(machine: Machine, bytes: number): string {
  const size = `${bytes / 2 ** 20}M`;
  // Hot-plugged memory starts after all other memory (hw/arm/virt.c, virt_set_memmap()).
  return hasDmaAlias(machine)
    ? `${size},slots=1,maxmem=${2 ** (aliasedIpaBits - 21) + (2 * bytes) / 2 ** 20}M`
    : size;
}

/** Maps the machine's RAM a second time at its alias. */
export function aliasArguments(machine: Machine, ramFile: string): string[] {
  const address = 2 ** (aliasedIpaBits - 1) + RAM_BASE;
  return hasDmaAlias(machine)
    ? [
        ...['-object', ramBackend('alias', ramFile, machine.memory * 2 ** 20)],
        ...['-device', `pc-dimm,memdev=alias,addr=0x${address.toString(16)}`],
      ]
    : [];
}
