// SPDX-License-Identifier: GPL-2.0-only
/** The kernel's own logic runs into a BUG() or panic(): the boot is predicted to crash there. */
export class PredictedBug extends Error {
  constructor(where: string) {
    super(`the kernel's logic hits ${where}`);
    this.name = 'PredictedBug';
  }
}
