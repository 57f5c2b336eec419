// SPDX-License-Identifier: GPL-2.0-only
import { existsSync, mkdirSync, statSync } from 'node:fs';
import { dirname } from 'node:path';

/**
 * Makes a folder with those above it, as far as they are missing. Node's recursive mkdir tries for
 * ever where a folder is there in which none can be made (/proc), and the kernel says ENOENT.
 * @throws what the system says of the folder that cannot be made
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
    // Another process may be making it, too.
    if (!existsSync(path)) makeFolder(path);
  }
}
