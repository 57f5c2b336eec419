// SPDX-License-Identifier: GPL-2.0-only
/**
 * Options of execa for tools of the host: a tool that was stopped, or that waits for something that
 * never comes, is ended (SIGTERM, five seconds, SIGKILL) and then counts as failed. The limits are
 * sufficient for any host that works at all.
 */

/** Tools that need only what is on disk. */
export const briefTool = { timeout: 15 * 60_000 } as const;

/** Tools that load, unpack or write a lot. */
export const longTool = { timeout: 6 * 3_600_000 } as const;
