// SPDX-License-Identifier: GPL-2.0-only
import type { MachineBlobs } from '../../results/case-inputs.ts';
import type { QemuMachine } from '../emulator/qemu-command.ts';
import { checkFunction, comment, quote, withoutCommas, wordsOf } from './repro-shell.ts';

/** Names of the files in a packed case that make up the machine. */
export const packedFiles = {
  kernel: 'Image',
  config: 'config',
  initramfs: 'initramfs.cpio',
  deviceTree: 'device-tree.dtb',
  flash: 'flash.bin',
  deviceData: 'device-data.bin',
} as const;

/** The data that the script of a packed case needs. */
export interface PackedRepro extends MachineBlobs {
  /** Name of the case. */
  name: string;
  machine: Pick<QemuMachine, 'machine' | 'cpu' | 'commandLine'>;
  /** SHA-256 of each of the `packedFiles` that exist. */
  sha256: Partial<Record<keyof typeof packedFiles, string>>;
  emulator: { version: string; sha256: string; origin: string };
}

/** The shell variables with which QEMU's arguments refer to files. */
const variables = {
  kernel: 'kernel',
  initramfs: 'initramfs',
  deviceTree: 'dtb',
  flash: 'flash',
  deviceData: 'data',
} as const;

/**
 * A POSIX shell script that boots a packed case from the files beside it with the QEMU on PATH. If
 * that is not the version that the case was run with, it says so and boots anyway.
 */
export function packedReproScript(repro: PackedRepro): string {
  const { emulator, machine, monitor, deviceData, sha256 } = repro;
  const files = Object.entries(variables).filter(
    ([file]) => sha256[file as keyof typeof variables] !== undefined,
  );
  return `${[
    '#!/bin/sh',
    comment(
      `Boots the case ${repro.name} again from the files beside this script, by QEMU alone. End it with Ctrl-A X.`,
    ),
    comment(
      `It ran with QEMU ${emulator.version} (${emulator.origin}, program with sha256 ${emulator.sha256}).`,
    ),
    '# QEMU=PATH names another qemu-system-aarch64 than the one on PATH.',
    '# Exit code 2: a file is missing or is not the one of the case, or there is no QEMU.',
    'set -eu',
    'here=$(CDPATH= cd -- "$(dirname -- "$0")" && pwd)',
    ...files.map(
      ([file, variable]) => `${variable}=$here/${packedFiles[file as keyof typeof variables]}`,
    ),
    `program=\${QEMU:-qemu-system-aarch64}`,
    ...checkFunction,
    ...files.map(
      ([file, variable]) => `check "$${variable}" ${sha256[file as keyof typeof variables]}`,
    ),
    ...(monitor
      ? withoutCommas(files.map(([, variable]) => variable).filter((name) => name !== 'flash'))
      : []),
    `version=$("$program" --version 2>/dev/null | sed -n 's/^QEMU emulator version \\([0-9.]*\\).*/\\1/p') || true`,
    'test -n "$version" || { echo "$program is no QEMU: install qemu-system-aarch64, or name it by QEMU=PATH" >&2; exit 2; }',
    `test "$version" = ${quote(emulator.version)} || echo "QEMU $version is not ${emulator.version}, which the case ran with: it may show something else" >&2`,
    ...(deviceData ? ['ram=$(mktemp)', `trap 'rm -f "$ram"' EXIT`] : []),
    `${deviceData ? '' : 'exec '}"$program" ${wordsOf(machine, repro)}`,
  ].join('\n')}\n`;
}
