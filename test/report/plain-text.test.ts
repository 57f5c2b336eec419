// SPDX-License-Identifier: GPL-2.0-only
import { stripVTControlCharacters } from 'node:util';
import fc from 'fast-check';
import t from 'tap';
import {
  column,
  fit,
  hang,
  plainLine,
  plainText,
  preformatted,
  withoutEscapeSequences,
  wrap,
} from '../../src/report/plain-text.ts';
import { anyCharacter } from '../any-character.ts';

t.test('escape sequences go whole', async (t) => {
  for (const [text, plain] of [
    ['\u001b[31mred\u001b[0m', 'red'],
    ['\u001b[?25lhidden', 'hidden'],
    ['\u001b]0;title\u0007after', 'after'],
    ['\u001b]8;;https://example.org\u001b\\link\u001b]8;;\u001b\\', 'link'],
    ['\u001bP1$q\u001b\\after', 'after'],
    ['\u001b(Bcharset', 'charset'],
    ['\u001bcreset', 'reset'],
    ['\u009b31mred', 'red'],
    ['cut short \u001b[', 'cut short '],
    ['cut short \u001b', 'cut short '],
  ] as const) {
    t.equal(withoutEscapeSequences(text), plain);
  }
});

t.test('an unterminated sequence cannot swallow the lines after it', async (t) => {
  t.equal(withoutEscapeSequences('\u001b]0;never ends\nKernel panic'), '\nKernel panic');
});

t.test('what is left is visible text, one column a character', async (t) => {
  fc.assert(
    fc.property(fc.string({ unit: anyCharacter, maxLength: 80 }), (text) => {
      const plain = plainText(text);
      return (
        /^[\n\u0020-\u007e\u00a0-\u25ff]*$/u.test(plain) &&
        stripVTControlCharacters(plain) === plain
      );
    }),
  );
  t.equal(plainText('漢字 a\tb\r\n\u0007c ×'), '?? a  b\nc ×');
  t.equal(plainLine('two\r\nlines '), 'two lines');
});

t.test('columns are as wide as asked', async (t) => {
  t.equal(fit('abcdef', 4), 'abc…');
  t.equal(column('ab', 4), 'ab  ');
  t.equal(column('ab', 4, 'right'), '  ab');
  t.equal(fit('abc', 0), '');
});

t.test('wrapping keeps every word in order and never exceeds the width', async (t) => {
  fc.assert(
    fc.property(
      fc.array(fc.string({ unit: fc.constantFrom('a', 'b'), maxLength: 30 })),
      fc.integer({ min: 1, max: 40 }),
      (words, width) => {
        const lines = wrap(words.join(' '), width);
        return (
          lines.every((line) => line.length <= width) &&
          lines.join('').replaceAll(' ', '') === words.join('')
        );
      },
    ),
  );
  t.same(hang('- ', 'one two three', 9), ['- one two', '  three']);
  t.same(
    hang('no room: ', 'abc', 4),
    ['no room: a', '         b', '         c'],
    'and ends where there is no room',
  );
});

t.test('preformatted lines keep their inner spacing where they fit', async (t) => {
  t.same(preformatted('  a    b\n    long word', '> ', 12), [
    '>   a    b',
    '>     long',
    '      word',
  ]);
});
