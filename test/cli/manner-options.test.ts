// SPDX-License-Identifier: GPL-2.0-only
import { Command } from 'commander';
import t from 'tap';
import { addMannerOptions, mannerOf } from '../../src/cli/manner-options.ts';

function parsed(...words: string[]) {
  const command = addMannerOptions(new Command(), ['firmware']).option('--firmware <file>');
  command.exitOverride().configureOutput({ writeErr: () => undefined });
  return mannerOf(command.parse(words, { from: 'user' }).opts());
}

t.test('how a verb boots its cases', async (t) => {
  t.strictSame(parsed(), {}, 'recorded, here, with the pinned QEMU');
  t.strictSame(parsed('--no-record', '--qemu', 'q'), { qemu: 'q', record: false });
  t.match(parsed('--farm', 'redis://:word@127.0.0.1:6399'), { farm: { password: 'word' } });
  t.throws(() => parsed('--farm', 'here', '--qemu', 'q'), { message: /cannot be used with/ });
  t.throws(() => parsed('--farm', 'here', '--firmware', 'f'), { message: /cannot be used with/ });
});
