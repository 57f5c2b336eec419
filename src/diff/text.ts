// SPDX-License-Identifier: GPL-2.0-only
/** Width of all prose that ptdiff writes. */
const width = 100;

/**
 * Breaks one line at blanks into lines of at most 100 columns; those after the first are indented
 * by `indent` more blanks.
 */
export function wrap(text: string, indent = 2): string[] {
  const margin = text.match(/^ */)?.[0].length ?? 0;
  const hanging = ' '.repeat(margin + indent);
  const lines: string[] = [];
  let line = ' '.repeat(margin);
  for (const word of text.trim().split(/ +/)) {
    const glue = line.trim() === '' ? '' : ' ';
    if (glue !== '' && line.length + glue.length + word.length > width) {
      lines.push(line);
      line = hanging + word;
    } else {
      line += glue + word;
    }
    // A word longer than a line (text from the guest) is cut: no line may be too long.
    for (; line.length > width; line = hanging + line.slice(width))
      lines.push(line.slice(0, width));
  }
  lines.push(line);
  return lines;
}

/**
 * Joins the lines that wrap() broke. A line continues in the next one if that is indented like a
 * continuation, and its first word would not have fitted.
 */
export function unwrap(text: string): string {
  const whole: string[] = [];
  // Of the last line of `whole`: its margin, and the length of its last piece.
  let margin = 0;
  let length = 0;
  for (const line of text.split('\n')) {
    const [, blanks, first] = /^( *)([^ ]*)/.exec(line) ?? ['', '', ''];
    const goesOn =
      first !== '' && blanks.length === margin + 2 && length + 1 + first.length > width;
    if (goesOn) whole.push(`${whole.pop()} ${line.trim()}`);
    else whole.push(line);
    margin = goesOn ? margin : blanks.length;
    length = line.length;
  }
  return whole.join('\n');
}

/** Joins paragraphs, each wrapped at 100 columns, into the detail of a finding. */
export function detailOf(paragraphs: readonly string[]): string {
  return paragraphs
    .flatMap((paragraph) => paragraph.split('\n'))
    .flatMap((line) => wrap(line))
    .join('\n');
}

/** A time of a recording, in seconds. @param microseconds since the machine was started */
export function secondsText(microseconds: number): string {
  return `${(microseconds / 1e6).toFixed(6)} s`;
}

/** Bytes in the largest binary unit that gives a whole number: 4096 is '4 KiB'. */
export function bytesText(bytes: number): string {
  const units = ['B', 'KiB', 'MiB', 'GiB', 'TiB'];
  let value = bytes;
  let unit = 0;
  while (value !== 0 && value % 1024 === 0 && unit < units.length - 1) {
    value /= 1024;
    unit++;
  }
  return `${value} ${units[unit]}`;
}

/** '1 leaf', '2 leaves'. */
export function countText(count: number, one: string, many = `${one}s`): string {
  return `${count} ${count === 1 ? one : many}`;
}

/** Hexadecimal with 0x, for addresses and descriptors. */
export function hex(value: bigint | number): string {
  return `0x${value.toString(16)}`;
}
