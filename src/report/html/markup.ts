// SPDX-License-Identifier: GPL-2.0-only
import { withoutEscapeSequences } from '../plain-text.ts';

/**
 * Text that is already HTML: only the `html` template makes it, so nothing gets into a page without
 * being escaped.
 */
export class Markup {
  readonly text: string;

  constructor(text: string) {
    this.text = text;
  }
}

/**
 * What a template may hold: text is escaped, markup is not, lists are joined, undefined yields
 * nothing.
 */
export type Content = Markup | string | number | undefined | readonly Content[];

const entities: Record<string, string> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;',
};

/** A control character as its picture (U+2400 block), so that it is visible and has no effect. */
function picture(character: string): string {
  const code = character.charCodeAt(0);
  return code < 0x20 ? String.fromCharCode(0x2400 + code) : '\ufffd';
}

/**
 * Text of any origin, guests included, as HTML text or attribute value: escape sequences are
 * dropped, control characters shown as pictures, bidirectional controls, lone surrogates and
 * non-characters replaced.
 */
function escapeHtml(text: string): string {
  return withoutEscapeSequences(text.replaceAll('\r\n', '\n'))
    .toWellFormed()
    .replaceAll(/[\p{Cc}\p{Bidi_Control}\p{Noncharacter_Code_Point}]/gu, (character) =>
      character === '\n' || character === '\t' ? character : picture(character),
    )
    .replaceAll(/[&<>"']/g, (character) => entities[character] ?? character);
}

function render(content: Content): string {
  if (content === undefined) return '';
  if (typeof content === 'string') return escapeHtml(content);
  if (typeof content === 'number') return String(content);
  return content instanceof Markup ? content.text : content.map(render).join('');
}

/** HTML with values filled in, each escaped according to its type. */
export function html(strings: TemplateStringsArray, ...values: Content[]): Markup {
  return new Markup(strings.reduce((text, part, index) => text + render(values[index - 1]) + part));
}
