// SPDX-License-Identifier: GPL-2.0-only
/** Devices that do DMA, and what they deliver to a guest that uses them. */

export const deviceNames = ['virtio-console', 'virtio-blk', 'virtio-rng', 'virtio-net'] as const;
export type DeviceName = (typeof deviceNames)[number];

/**
 * Drivers as modules, by file name, each after the modules that it needs; a kernel with modules has
 * the virtio bus built in.
 */
const moduleNames: Record<DeviceName, readonly string[]> = {
  'virtio-console': ['virtio_console'],
  'virtio-blk': ['virtio_blk'],
  'virtio-rng': ['virtio-rng'],
  'virtio-net': ['failover', 'net_failover', 'virtio_net'],
};

/** The one that init can remove: none of its open files holds it (guest/init/probe-modules.c). */
export const removableModule = 'virtio_net';

/** Modules that a kernel must load to drive a machine's devices. */
export function modulesFor(
  devices: readonly DeviceName[] | undefined,
  builtInDrivers: readonly string[],
): string[] {
  return (devices ?? [])
    .filter((device) => !builtInDrivers.includes(device))
    .flatMap((device) => moduleNames[device]);
}

/** Bytes of a device's content. */
const contentBytes = 65536;
/** Bytes of the content that init reports. */
const reportedBytes = 64;

/** Modules that a machine may need, whatever its devices and its kernel. */
export const deviceModules: readonly string[] = modulesFor(deviceNames, []);

/**
 * The bytes that a disk holds, a console sends and a source of randomness delivers: numbered lines,
 * so that any 16 bytes show that they come from here.
 */
export function deviceContent(): Uint8Array {
  const lines = Array.from(
    { length: contentBytes / 16 },
    (_, line) => `ptdiff ${line.toString(16).padStart(8, '0')}\n`,
  );
  return new TextEncoder().encode(lines.join(''));
}

/**
 * QEMU's user network: 10.0.2.2 answers to ARP with this hardware address and its own IP address
 * (slirp's src/slirp.c).
 */
const gatewayAnswer = '52550a0002020a000202';

/** Whether bytes (hexadecimal) that init got from a device are what that device delivers. */
export function isDelivered(device: DeviceName, data: string | undefined): boolean {
  if (device === 'virtio-net') return data === gatewayAnswer;
  if (data === undefined || !/^([0-9a-f]{2})+$/.test(data) || data.length !== 2 * reportedBytes)
    return false;
  const text = data.replaceAll(/../g, (digits) => String.fromCharCode(Number.parseInt(digits, 16)));
  return new TextDecoder('latin1').decode(deviceContent()).includes(text);
}
