// SPDX-License-Identifier: GPL-2.0-only
import t from 'tap';
import { messageOf, PtdiffError } from '../src/errors.ts';

t.test('an error carries its fault and cause', async (t) => {
  const cause = new Error('ENOSPC');
  const error = new PtdiffError('host', 'The disk is full; free some space.', { cause });
  t.equal(error.fault, 'host');
  t.equal(error.cause, cause);
  t.equal(messageOf(error), 'The disk is full; free some space.');
});

t.test('anything thrown has a message', async (t) => {
  t.equal(messageOf('text'), 'text');
});
