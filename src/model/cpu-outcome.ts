// SPDX-License-Identifier: GPL-2.0-only
/** What becomes of the CPUs of a machine. */
export interface CpuOutcome {
  /**
   * Online at the end of the boot's own bring-up, and once init has asked for the others; a bit a
   * CPU.
   */
  onlineAtBoot: bigint;
  onlineAtInit: bigint;
  /** CPUs that the kernel does not let in. */
  refused: number[];
  /** Titles of the complaints that must be in the log (src/linux/cpu-messages.ts). */
  complaints: string[];
  /**
   * The Image does not show what the kernel asks of a CPU that comes late, and such CPUs come: who
   * is let in is not known.
   */
  unknown: boolean;
}

/** The boot CPU alone, as long as no other was asked for. */
export const bootCpuAlone: CpuOutcome = {
  onlineAtBoot: 1n,
  onlineAtInit: 1n,
  refused: [],
  complaints: [],
  unknown: false,
};
