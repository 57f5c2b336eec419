// SPDX-License-Identifier: GPL-2.0-only
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import t from 'tap';
import {
  configText,
  fragmentNames,
  lostOptions,
  mergeFragments,
  wantedConfig,
} from '../../../images/source/config-fragments.ts';

t.test('the later fragment wins, as in merge_config.sh', async (t) => {
  const merged = mergeFragments([
    { name: 'one', text: 'CONFIG_A=y\n# a remark\nCONFIG_B="x \\"y\\""\nCONFIG_N=12\n' },
    { name: 'two', text: '# CONFIG_A is not set\n\nCONFIG_C=m\n' },
  ]);
  t.same(
    [...merged].map(([name, { value, from }]) => [name, value, from]),
    [
      ['CONFIG_A', 'n', 'two'],
      ['CONFIG_B', 'x "y"', 'one'],
      ['CONFIG_N', '12', 'one'],
      ['CONFIG_C', 'm', 'two'],
    ],
  );
  t.equal(
    configText(merged),
    '# CONFIG_A is not set\nCONFIG_B="x \\"y\\""\nCONFIG_N=12\nCONFIG_C=m\n',
  );
});

t.test('a lost option is named with what it should be and what it is', async (t) => {
  const wanted = mergeFragments([
    {
      name: 'mine',
      text: 'CONFIG_A=y\nCONFIG_B=y\n# CONFIG_C is not set\nCONFIG_D=5\nCONFIG_E=n\n',
    },
  ]);
  const final = 'CONFIG_A=y\n# CONFIG_B is not set\nCONFIG_D=6\n';
  t.same(lostOptions(wanted, final), [
    'CONFIG_B should be y (fragment mine) and is n',
    'CONFIG_D should be 5 (fragment mine) and is 6',
  ]);
  t.match(lostOptions(wanted, ''), [/CONFIG_A should be y .* absent/, /CONFIG_B/, /CONFIG_D/]);
});

t.test('what a kernel may not know is declared up to the next empty line', async (t) => {
  const wanted = mergeFragments([
    { name: 'mine', text: '# optional: from 6.14 on\nCONFIG_A=y\nCONFIG_B=y\n\nCONFIG_C=y\n' },
  ]);
  t.same(
    lostOptions(wanted, '# CONFIG_B is not set\n').map((phrase) => phrase.split(' ')[0]),
    ['CONFIG_B', 'CONFIG_C'],
    'an option that is known must be as wanted all the same',
  );
});

t.test('a line that is no option is named', async (t) => {
  const text = 'CONFIG_A=y\nCONFIG_B = y\n';
  t.throws(() => mergeFragments([{ name: 'mine', text }]), {
    fault: 'usage',
    message: /Line 2 .*mine.*CONFIG_B = y/,
  });
});

t.test('all fragments of ptdiff can be read, and are listed', async (t) => {
  const files = await readdir(join(import.meta.dirname, '../../../images/source/fragments'));
  const names = await fragmentNames();
  t.equal(names.length, files.length - 3, 'all but those that are always merged');
  for (const name of names) t.ok((await wantedConfig([name])).options.size > 0, name);
});

t.test(
  "a whole configuration takes the place of ptdiff's own, but not of what ptdiff reads",
  async (t) => {
    const directory = t.testdir({
      config:
        '#\n# Automatically generated file; DO NOT EDIT.\n# Linux/arm64\n#\nCONFIG_NET=y\n# CONFIG_KALLSYMS_ALL is not set\n',
      part: 'CONFIG_NET=y\n',
    });
    const whole = await wantedConfig([join(directory, 'config')]);
    t.equal(whole.complete, true);
    t.equal(whole.options.get('CONFIG_KALLSYMS_ALL')?.value, 'y');
    t.notOk(whole.options.has('CONFIG_PTDUMP_DEBUGFS'));
    const part = await wantedConfig([join(directory, 'part')]);
    t.equal(part.complete, false);
    t.equal(part.options.get('CONFIG_PTDUMP_DEBUGFS')?.value, 'y');
  },
);

t.test('a fragment that does not exist is an error that says which there are', async (t) => {
  await t.rejects(wantedConfig(['65k']), {
    fault: 'usage',
    message: /65k is no fragment of ptdiff's \(.*64k.*no such file/,
  });
});
