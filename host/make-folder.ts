// SPDX-License-Identifier: GPL-2.0-only
import { existsSync, mkdirSync, statSync } from 'node:fs';
import { dirname } from 'node:path';

/**
 * Creates a folder and its missing parents. Node's recursive mkdir never ends in a folder where
 * nothing can be created (/proc) and the kernel returns ENOENT.
 * @throws the system's error for the folder that cannot be created
 */
export function makeFolder(path: string): void {
  try {
    mkdirSync(path);
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    const parent = dirname(path);
    if (code === 'EEXIST' && statSync(path).isDirectory()) return;
    if (code !== 'ENOENT' || parent === path || existsSync(parent)) throw error;
    makeFolder(parent);
    // Another process may be creating it, too.
    if (!existsSync(path)) makeFolder(path);
  }
}
