// SPDX-License-Identifier: GPL-2.0-only
/**
 * Events of guest/init (guest/init/protocol.h): init calls reboot(2) with arguments that the kernel
 * refuses.
 */
export const guestEvents = { hello: 1, ready: 2, bye: 3 } as const;

/** One call of reboot(2) that signals an event. */
interface GuestEvent {
  /** One of guestEvents, or anything else that a guest may send. */
  event: number;
  /** Physical address of the directory page; 0 when init could not make one. */
  directory: number;
}

/**
 * The arguments of reboot(2) at the start of struct pt_regs: regs[0] to regs[3]
 * (arch/arm64/include/asm/ptrace.h).
 */
export const rebootArgumentBytes = 32;

const linuxRebootMagic1 = 0xfee1deadn;
const eventMagic2 = 0x70746466n;

/**
 * Reads the arguments of a reboot(2) call, of which the first three are ints; undefined when the
 * call was a real reboot.
 */
export function guestEvent(argumentBytes: Uint8Array): GuestEvent | undefined {
  const view = new DataView(
    argumentBytes.buffer,
    argumentBytes.byteOffset,
    argumentBytes.byteLength,
  );
  const [magic1, magic2, event] = [0, 8, 16].map((at) => BigInt(view.getUint32(at, true)));
  if (magic1 !== linuxRebootMagic1 || magic2 !== eventMagic2) {
    return undefined;
  }
  return { event: Number(event), directory: Number(view.getBigUint64(24, true)) };
}
