// SPDX-License-Identifier: GPL-2.0-only
/**
 * A rule that no recorded boot can show, checked on a recorded question that was changed; true when
 * the model keeps it.
 */
export interface Rule {
  name: string;
  holds(): boolean;
}
