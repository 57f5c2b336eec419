// SPDX-License-Identifier: GPL-2.0-only
import fc from 'fast-check';
import t from 'tap';
import { detailOf, unwrap } from '../../src/diff/text.ts';

t.test('a line that was wrapped is whole again', async () => {
  const words = fc.array(fc.stringMatching(/^[!-~]{1,40}$/), { minLength: 1, maxLength: 40 });
  fc.assert(
    fc.property(words, fc.nat(8), (words, margin) => {
      const line = ' '.repeat(margin) + words.join(' ');
      return unwrap(detailOf([line])) === line;
    }),
  );
});

t.test('lines of their own stay, indented or not', async (t) => {
  const lines = [
    'A leaf:',
    '  0x1000-0x2000',
    '    expected PA 0x1000',
    '    found    no leaf',
    '  0x3000-0x4000',
    '',
  ];
  t.equal(unwrap(lines.join('\n')), lines.join('\n'));
});
