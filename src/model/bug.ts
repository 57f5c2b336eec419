// SPDX-License-Identifier: GPL-2.0-only
/** The kernel's own logic reaches a BUG() or panic(): the prediction is a crash. */
export class PredictedBug extends Error {
  constructor(where: string) {
    super(`the kernel's logic hits ${where}`);
    this.name = 'PredictedBug';
  }
}
