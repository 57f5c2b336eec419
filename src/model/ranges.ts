// SPDX-License-Identifier: GPL-2.0-only
export { subtract } from '../linux/physical-range.ts';
