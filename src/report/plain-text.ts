// SPDX-License-Identifier: GPL-2.0-only
const ESC = 0x1b;
const BEL = 0x07;
const CSI_8BIT = 0x9b;

// ECMA-48: DCS, SOS, OSC, PM and APC open a string that ends with ST; as 7-bit sequences they are
// ESC and this letter.
const stringOpeners = new Set([...'PX]^_'].map((letter) => letter.charCodeAt(0)));

/**
 * Index after a CSI sequence whose parameters start at `index`; an unfinished one ends where it is
 * no longer valid.
 */
function afterCsi(text: string, index: number): number {
  let at = index;
  while (at < text.length && text.charCodeAt(at) >= 0x20 && text.charCodeAt(at) <= 0x3f) at++;
  const final = text.charCodeAt(at);
  return final >= 0x40 && final <= 0x7e ? at + 1 : at;
}

/**
 * Index after a control string; an unterminated one ends with its line, so that it cannot swallow
 * the rest of a log.
 */
function afterControlString(text: string, index: number): number {
  for (let at = index; at < text.length; at++) {
    const code = text.charCodeAt(at);
    if (code === 0x0a) return at;
    if (code === BEL || code === 0x9c) return at + 1;
    if (code === ESC && text[at + 1] === '\\') return at + 2;
  }
  return text.length;
}

/** Index after the escape sequence that starts with the ESC at `index`. */
function afterEscape(text: string, index: number): number {
  const next = text.charCodeAt(index + 1);
  if (next === 0x5b) return afterCsi(text, index + 2);
  if (stringOpeners.has(next)) return afterControlString(text, index + 2);
  let at = index + 1;
  while (at < text.length && text.charCodeAt(at) >= 0x20 && text.charCodeAt(at) <= 0x2f) at++;
  const final = text.charCodeAt(at);
  return final >= 0x30 && final <= 0x7e ? at + 1 : at;
}

/**
 * The text without terminal control sequences (ECMA-48: CSI, OSC and related ones, ESC with its
 * intermediates).
 */
export function withoutEscapeSequences(text: string): string {
  let kept = '';
  let from = 0;
  for (let at = 0; at < text.length; ) {
    const code = text.charCodeAt(at);
    if (code !== ESC && code !== CSI_8BIT) {
      at++;
      continue;
    }
    kept += text.slice(from, at);
    at = code === ESC ? afterEscape(text, at) : afterCsi(text, at + 1);
    from = at;
  }
  return kept + text.slice(from);
}

// One column wide in every terminal: Latin-1 without the soft hyphen, dashes and quotes, arrows,
// operators, box drawing and blocks, geometric shapes. Ideographs, emoji, combining marks and
// bidirectional controls are not.
const oneColumn =
  /^[\u0020-\u007e\u00a0-\u00ac\u00ae-\u00ff\u2010-\u2027\u2030-\u203a\u2190-\u21ff\u2200-\u22ff\u2500-\u25ff]$/u;

/**
 * Text of any origin, guests included, made safe for a terminal: control sequences and control
 * characters are removed, tabs become spaces, and a character that may not be one column wide
 * becomes '?'. Line breaks stay; the width of a line is its length.
 */
export function plainText(text: string): string {
  let plain = '';
  for (const character of withoutEscapeSequences(text.replaceAll('\r\n', '\n'))) {
    if (character === '\n' || oneColumn.test(character)) plain += character;
    else if (character === '\t') plain += '  ';
    else if (!/^\p{Cc}$/u.test(character)) plain += '?';
  }
  return plain;
}

/** `plainText` in one line. */
export function plainLine(text: string): string {
  return plainText(text.replaceAll(/[\r\n]+/g, ' ')).trim();
}

/** The text cut to `width` columns; '…' marks a cut. */
export function fit(text: string, width: number): string {
  if (text.length <= width) return text;
  return width > 0 ? `${text.slice(0, width - 1)}…` : '';
}

/** The text in exactly `width` columns. */
export function column(text: string, width: number, side: 'left' | 'right' = 'left'): string {
  const fitted = fit(text, width);
  return side === 'left' ? fitted.padEnd(width) : fitted.padStart(width);
}

function breakLongWord(word: string, width: number): string[] {
  const parts: string[] = [];
  for (let at = 0; at < word.length; at += width) parts.push(word.slice(at, at + width));
  return parts;
}

/**
 * Words laid out in lines of at most `width` columns; a longer word is broken. Empty text gives one
 * empty line.
 */
export function wrap(text: string, width: number): string[] {
  // The text before it may have taken all the room.
  const room = Math.max(1, width);
  const lines: string[] = [];
  let line = '';
  for (const word of text.split(/ +/).flatMap((word) => breakLongWord(word, room))) {
    if (line !== '' && line.length + 1 + word.length > room) {
      lines.push(line);
      line = word;
    } else {
      line = line === '' ? word : `${line} ${word}`;
    }
  }
  return [...lines, line];
}

/**
 * `wrap` with `first` before the first line and equal space before the others, all within `width`
 * columns.
 */
export function hang(first: string, text: string, width: number): string[] {
  const indent = ' '.repeat(first.length);
  return wrap(text, width - first.length).map(
    (line, index) => (index === 0 ? first : indent) + line,
  );
}

/**
 * Lines of preformatted text: they keep their own indentation, and a line longer than `width`
 * continues, indented, in the next line.
 */
export function preformatted(text: string, indent: string, width: number): string[] {
  return plainText(text)
    .split('\n')
    .flatMap((line) => {
      if (indent.length + line.length <= width) return indent + line;
      const own = line.match(/^ */)?.[0].slice(0, 40) ?? '';
      return hang(indent + own, line.trim(), width);
    })
    .map((line) => line.trimEnd());
}
