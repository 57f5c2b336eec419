// SPDX-License-Identifier: GPL-2.0-only
import { hang, plainLine, plainText, preformatted } from '../plain-text.ts';

/** Width of a mail to a kernel list, in columns. */
export const mailWidth = 72;

const replacements: Record<string, string> = {
  '→': '->',
  '←': '<-',
  '…': '...',
  '×': 'x',
  '–': '-',
  '—': '-',
  '‘': "'",
  '’': "'",
  '“': '"',
  '”': '"',
};

/** Safe text in ASCII, which every reader of a list's archive sees the same way. */
function ascii(text: string): string {
  return plainText(text).replaceAll(
    /[^\n\x20-\x7e]/g,
    (character) => replacements[character] ?? '?',
  );
}

/** A paragraph that starts after `first` and continues below it. */
export function paragraph(text: string, first = ''): string[] {
  return hang(first, plainLine(ascii(text)), mailWidth).map((line) => line.trimEnd());
}

/** Text as one word that no line break cuts: people search for ids. */
export function wholeWord(text: string): string {
  return plainLine(ascii(text)).replaceAll(' ', '_');
}

/** Lines with their own indentation, indented by two columns. */
export function block(text: string): string[] {
  return preformatted(ascii(text), '  ', mailWidth);
}

/**
 * Lines of a kernel's log, indented by two columns and otherwise unchanged: someone who searches
 * for one must find the whole line.
 */
export function verbatim(lines: readonly string[]): string[] {
  return lines.map((line) => `  ${ascii(line).replaceAll('\n', ' ').trimEnd()}`);
}

/** A heading with its lines; nothing if there are none. */
export function section(title: string, lines: readonly string[]): string[] {
  return lines.length === 0 ? [] : [title, '-'.repeat(title.length), ...lines, ''];
}

/** A header field, folded as in RFC 5322 (2.2.3). */
export function headerField(name: string, value: string): string[] {
  return hang(`${name}: `, plainLine(ascii(value)), mailWidth).map((line, index) =>
    index === 0 ? line : ` ${line.trim()}`,
  );
}

/** The command that boots one case again, for a terminal. */
export function runCommand(spec: string, scenario: string): string {
  return runWords(spec, scenario).join(' ');
}

/** The same, split into the parts for shellLines(). */
export function runWords(spec: string, scenario: string): string[] {
  return ['./ptdiff run', `--kernel ${shellWord(spec)}`, `--scenario ${shellWord(scenario)}`];
}

/**
 * A shell command that can be copied: '\' breaks it between its parts only, and an option stays
 * with its value.
 */
export function shellLines(parts: readonly string[]): string[] {
  const lines: string[] = [];
  let line = ' ';
  for (const part of parts) {
    if (line.trim() !== '' && line.length + 1 + part.length + 2 > mailWidth) {
      lines.push(`${line} \\`);
      line = `     ${part}`;
    } else {
      line += ` ${part}`;
    }
  }
  return [...lines, line];
}

/** A word of a shell command, quoted where necessary. */
export function shellWord(text: string): string {
  const word = plainLine(text);
  return /^[\w@%+=:,./~-]+$/.test(word) ? word : `'${word.replaceAll("'", `'\\''`)}'`;
}
