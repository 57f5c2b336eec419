// SPDX-License-Identifier: GPL-2.0-only
/**
 * A harness to be killed: boots the case in its argument and prints QEMU's process id at the first
 * checkpoint.
 */

import { readFileSync } from 'node:fs';
import { boot } from '../../harness/boot/boot.ts';
import { kallsymsOfImage } from '../../src/linux/kallsyms.ts';
import { given } from '../given.ts';
import { atFirstCheckpoint } from './boot-setup.ts';

const setup = JSON.parse(given(process.argv[2]));
await boot({
  ...setup,
  vmemmap: BigInt(setup.vmemmap),
  symbols: kallsymsOfImage(readFileSync(setup.kernel.imagePath)),
  signal: new AbortController().signal,
  onEvent: atFirstCheckpoint((pid) => console.log('qemu', pid)),
});
