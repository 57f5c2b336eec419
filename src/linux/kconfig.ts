// SPDX-License-Identifier: GPL-2.0-only
/**
 * Parses a kernel's .config into values by full name (`CONFIG_…`): 'y', 'm', a number's text, or a
 * string without its quotes. "# CONFIG_X is not set" gives 'n'; an option that the file does not
 * mention at all (unknown to that kernel, or its dependencies are off) is absent. Other lines are
 * skipped.
 */
export function parseKconfig(text: string): Map<string, string> {
  const options = new Map<string, string>();
  for (const line of text.split(/\r?\n/)) {
    const set = /^(CONFIG_\w+)=(.*)$/.exec(line);
    if (set?.[1] !== undefined) options.set(set[1], unquoted(set[2] ?? ''));
    const unset = /^# (CONFIG_\w+) is not set$/.exec(line);
    if (unset?.[1] !== undefined) options.set(unset[1], 'n');
  }
  return options;
}

/**
 * A string option is in double quotes, with a backslash before quotes and backslashes
 * (scripts/kconfig/confdata.c).
 */
function unquoted(value: string): string {
  const string = /^"(.*)"$/.exec(value)?.[1];
  return string !== undefined ? string.replaceAll(/\\(.)/g, '$1') : value;
}
