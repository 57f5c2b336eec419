// SPDX-License-Identifier: GPL-2.0-only
/** What becomes of a machine's CPUs. */
export interface CpuOutcome {
  /**
   * CPUs online after the kernel's own bring-up, and after init has brought up the others; one bit
   * per CPU.
   */
  onlineAtBoot: bigint;
  onlineAtInit: bigint;
  /** CPUs that the kernel refuses. */
  refused: number[];
  /** Titles of the complaints that must be in the log (src/linux/cpu-messages.ts). */
  complaints: string[];
  /**
   * The Image does not show what the kernel checks for a late CPU, and there are late CPUs: it is
   * not known which ones the kernel accepts.
   */
  unknown: boolean;
}

/** The boot CPU alone, while no other has been brought up. */
export const bootCpuAlone: CpuOutcome = {
  onlineAtBoot: 1n,
  onlineAtInit: 1n,
  refused: [],
  complaints: [],
  unknown: false,
};
