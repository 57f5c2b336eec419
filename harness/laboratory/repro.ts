// SPDX-License-Identifier: GPL-2.0-only
import { gzipSync } from 'node:zlib';
import type { MachineBlobs } from '../../results/case-inputs.ts';
import type { QemuMachine } from '../emulator/qemu-command.ts';
import { checkFunction, comment, quote, withoutCommas, wordsOf } from './repro-shell.ts';

/** A file that must be the same for the boot to be the same. */
interface ReproFile {
  path: string;
  sha256: string;
  /** How to get it elsewhere, in words or as a command. */
  origin: string;
}

export interface Repro extends MachineBlobs {
  /** Name of the case. */
  name: string;
  machine: QemuMachine;
  kernel: ReproFile;
  initramfs: ReproFile;
  /** The emulator's program; `machine.emulator` is how to call it. */
  emulator: ReproFile;
}

/**
 * A POSIX shell script that boots a case again with QEMU alone, with its console on the terminal.
 * KERNEL, INITRAMFS and QEMU name files that are elsewhere; hashes are checked first.
 */
export function reproScript(repro: Repro): string {
  const { kernel, initramfs, emulator, machine, deviceTree, monitor, deviceData } = repro;
  return `${[
    '#!/bin/sh',
    comment(`Boots the case ${repro.name} again, by QEMU alone. End it with Ctrl-A X.`),
    comment(
      'Exit code 2: a file is missing or is not the one that the case ran with. Get them so:',
    ),
    ...origin('kernel', 'KERNEL', kernel),
    ...origin('initramfs', 'INITRAMFS', initramfs),
    ...origin('emulator', 'QEMU', emulator),
    'set -eu',
    `kernel=\${KERNEL:-${quote(kernel.path)}}`,
    `initramfs=\${INITRAMFS:-${quote(initramfs.path)}}`,
    `program=\${QEMU:-${quote(emulator.path)}}`,
    ...checkFunction,
    `check "$kernel" ${kernel.sha256}`,
    `check "$initramfs" ${initramfs.sha256}`,
    `check "$program" ${emulator.sha256}`,
    ...(monitor ? withoutCommas(['kernel', 'initramfs']) : []),
    ...embedded({
      ...(deviceTree && { dtb: deviceTree }),
      ...(monitor && { flash: monitor.flash }),
      ...(deviceData && { data: deviceData, ram: new Uint8Array() }),
    }),
    `if test -n "\${QEMU:-}"; then set -- "$QEMU"; else set -- ${machine.emulator.map(quote).join(' ')}; fi`,
    `"$@" ${wordsOf(machine, { deviceTree, monitor, deviceData })}`,
  ].join('\n')}\n`;
}

function origin(what: string, variable: string, file: ReproFile): string[] {
  return [
    comment(`  ${what} (${variable}=PATH): sha256 ${file.sha256}`),
    comment(`    ${file.origin}`),
  ];
}

/** Files inside the script, by the variables that refer to them. */
function embedded(files: Record<string, Uint8Array>): string[] {
  const names = Object.keys(files);
  const lines = Object.entries(files).flatMap(([name, content]) => [
    `${name}=$(mktemp)`,
    `base64 -d <<'END_OF_FILE' | gzip -dc >"$${name}"`,
    gzipSync(content).toString('base64').replaceAll(/.{76}/g, '$&\n').trimEnd(),
    'END_OF_FILE',
  ]);
  const variables = names.map((name) => `"\${${name}:-}"`).join(' ');
  return names.length === 0 ? [] : [`trap 'rm -f ${variables}' EXIT`, ...lines];
}
