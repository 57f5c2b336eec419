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

/** Safe text in ASCII: what a list's archive shows alike to everyone. */
function ascii(text: string): string {
  return plainText(text).replaceAll(
    /[^\n\x20-\x7e]/g,
    (character) => replacements[character] ?? '?',
  );
}

/** A paragraph, its lines behind `first` and below it. */
export function paragraph(text: string, first = ''): string[] {
  return hang(first, plainLine(ascii(text)), mailWidth).map((line) => line.trimEnd());
}

/** Text as one word, which no line break cuts: an id is for searching. */
export function wholeWord(text: string): string {
  return plainLine(ascii(text)).replaceAll(' ', '_');
}

/** Lines that keep their own indentation, two columns in. */
export function block(text: string): string[] {
  return preformatted(ascii(text), '  ', mailWidth);
}

/**
 * Lines of a kernel's log, two columns in and otherwise as they are: whoever searches for one must
 * find it whole.
 */
export function verbatim(lines: readonly string[]): string[] {
  return lines.map((line) => `  ${ascii(line).replaceAll('\n', ' ').trimEnd()}`);
}

/** A heading and what belongs to it; nothing where there is nothing. */
export function section(title: string, lines: readonly string[]): string[] {
  return lines.length === 0 ? [] : [title, '-'.repeat(title.length), ...lines, ''];
}

/** A header field, folded as RFC 5322 (2.2.3) has it. */
export function headerField(name: string, value: string): string[] {
  return hang(`${name}: `, plainLine(ascii(value)), mailWidth).map((line, index) =>
    index === 0 ? line : ` ${line.trim()}`,
  );
}

/** The command that boots one case again, for a terminal. */
export function runCommand(spec: string, scenario: string): string {
  return runWords(spec, scenario).join(' ');
}

/** The same in the parts for shellLines(). */
export function runWords(spec: string, scenario: string): string[] {
  return ['./ptdiff run', `--kernel ${shellWord(spec)}`, `--scenario ${shellWord(scenario)}`];
}

/**
 * A shell command, broken with '\' between its parts only (an option and its value are one), so
 * that it can be copied.
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

/** A word of a shell command, quoted where it must be. */
export function shellWord(text: string): string {
  const word = plainLine(text);
  return /^[\w@%+=:,./~-]+$/.test(word) ? word : `'${word.replaceAll("'", `'\\''`)}'`;
}
