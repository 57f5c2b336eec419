// SPDX-License-Identifier: GPL-2.0-only
import type { MachineBlobs } from '../../results/case-inputs.ts';
import { bareCommand, type QemuMachine } from '../emulator/qemu-command.ts';

/** Code shared by the scripts that boot a case again. */

/** Text from ptdiff and from others: a line break would end the comment. */
export function comment(text: string): string {
  return `# ${text.replaceAll(/[\r\n]+/g, ' ')}`;
}

/** check FILE SHA256: ends the script if the file does not have this hash. */
export const checkFunction: readonly string[] = [
  'check() {',
  `  test "$(sha256sum <"$1" 2>/dev/null)" = "$2  -" || { echo "$1 is missing or is not the file of this case" >&2; exit 2; }`,
  '}',
];

/** In the options of QEMU's loader a comma in a path is doubled. */
export function withoutCommas(variables: readonly string[]): string[] {
  return variables.map((name) => `${name}=$(printf %s "$${name}" | sed 's/,/,,/g')`);
}

/**
 * QEMU's arguments, with the variables kernel, initramfs, dtb, flash and data for the files, and
 * ram for one that QEMU fills.
 */
export function wordsOf(
  { machine, cpu, commandLine }: Pick<QemuMachine, 'machine' | 'cpu' | 'commandLine'>,
  { deviceTree, monitor, deviceData }: MachineBlobs,
): string {
  const described: QemuMachine = {
    machine,
    cpu,
    commandLine,
    emulator: [],
    image: '$kernel',
    initramfs: '$initramfs',
    ...(deviceTree && { deviceTree: '$dtb' }),
    ...(monitor && { monitor: { ...monitor.places, flash: '$flash' } }),
    ...(deviceData && { deviceData: '$data' }),
  };
  return bareCommand(described, '$ram').map(argument).join(' ');
}

/**
 * ptdiff's own variables are expanded, alone or as a file in QEMU's options; everything else is
 * literal.
 */
function argument(text: string): string {
  return /^([\w=,./-]+=)?\$(kernel|initramfs|dtb|flash|data|ram)(,[\w=,-]+)?$/.test(text)
    ? `"${text}"`
    : quote(text);
}

/** A literal word. */
export function quote(text: string): string {
  return /^[\w@%+=:,./-]+$/.test(text) ? text : `'${text.replaceAll("'", `'\\''`)}'`;
}
