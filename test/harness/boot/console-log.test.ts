// SPDX-License-Identifier: GPL-2.0-only
import t from 'tap';
import { BoundedLog } from '../../../harness/boot/console-log.ts';

t.test('keeps a small log whole', (t) => {
  const log = new BoundedLog();
  log.append(Buffer.from('one\n'));
  log.append(Buffer.from('two\n'));
  t.equal(log.text(), 'one\ntwo\n');
  t.end();
});

t.test('keeps beginning and end of a large one, and says what is missing', (t) => {
  const log = new BoundedLog();
  const piece = Buffer.alloc(1 << 16, 'x');
  log.append(Buffer.from('first'));
  for (let count = 0; count < 128; count++) {
    log.append(piece);
  }
  log.append(Buffer.from('last'));
  const text = log.text();
  t.equal(log.total, 9 + 128 * (1 << 16));
  t.ok(text.startsWith('firstx') && text.endsWith('xlast'));
  t.ok(text.length < 5 << 20);
  const dropped = Number(/\[ptdiff: (\d+) bytes/.exec(text)?.[1]);
  t.equal((text.match(/x/g)?.length ?? 0) + dropped, 128 * (1 << 16));
  t.end();
});
