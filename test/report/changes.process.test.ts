// SPDX-License-Identifier: GPL-2.0-only
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { execa } from 'execa';
import t from 'tap';
import { findCommand } from '../../host/host-tools.ts';
import { hostile, pageWith } from './changes-page.ts';

const names = ['chromium', 'chromium-browser', 'google-chrome'];
const browser = (await Promise.all(names.map((name) => findCommand(name)))).find(
  (path) => path !== undefined,
);
// What was not looked at must be seen, as in site-browser.process.test.ts.
const options =
  browser === undefined
    ? { skip: 'NOT CHECKED: no Chromium on this host to show the page in' }
    : {};

t.test('the script sums up what is between two instants', options, async (t) => {
  const folder = t.testdir();
  const steps = `
    for (const each of document.querySelectorAll('details')) each.open = true;
    addEventListener('load', () => setTimeout(() => {
      [...document.querySelectorAll('.instants button')].find(({ textContent }) => textContent === 'up to init').click();
      document.title = [document.querySelector('.when').textContent,
        ...[...document.querySelectorAll('tr[data-deeds]')].map((row) => row.hidden ? 'hidden' : row.textContent)].join('|');
    }, 100));`;
  const page = pageWith(hostile).replace('</body>', `<script>${steps}</script></body>`);
  writeFileSync(join(folder, 'page.html'), page);
  const flags = ['--headless', '--no-sandbox', '--disable-gpu', '--virtual-time-budget=5000'];
  const { stdout, stderr } = await execa(
    browser ?? '',
    [
      ...flags,
      '--enable-logging=stderr',
      '--host-resolver-rules=MAP * ~NOTFOUND',
      `--user-data-dir=${join(folder, 'profile')}`,
      '--dump-dom',
      pathToFileURL(join(folder, 'page.html')).href,
    ],
    { reject: false, timeout: 120_000 },
  );
  t.notMatch(stderr, 'CONSOLE', 'no complaint of the page');
  const [, title = ''] = /<title>(.*?)<\/title>/.exec(stdout) ?? [];
  t.equal(
    title.replaceAll('&lt;', '<').replaceAll('&gt;', '>'),
    `From 1.00 s (paging_init) to 3.00 s (init)|${hostile}Linear mapping712|hidden`,
  );
});
