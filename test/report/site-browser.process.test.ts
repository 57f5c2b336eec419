// SPDX-License-Identifier: GPL-2.0-only
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { execa } from 'execa';
import t from 'tap';
import { findCommand } from '../../host/host-tools.ts';
import { given } from '../given.ts';
import { sampleSite } from './sample-site.ts';

const names = ['chromium', 'chromium-browser', 'google-chrome'];
const browser = (await Promise.all(names.map((name) => findCommand(name)))).find(
  (path) => path !== undefined,
);
// What was not looked at must be seen: the count of skipped tests is in the last line of every run
// of the tests.
const options =
  browser === undefined
    ? { skip: 'NOT CHECKED: no Chromium on this host to show the pages in' }
    : {};

/** Opens a page in a headless Chromium that reaches no network. */
async function open(folder: string, page: string, ...words: string[]) {
  const flags = [
    ...[
      '--headless',
      '--no-sandbox',
      '--disable-gpu',
      '--hide-scrollbars',
      '--enable-logging=stderr',
    ],
    ...[
      '--host-resolver-rules=MAP * ~NOTFOUND',
      `--user-data-dir=${join(folder, 'profile')}`,
      '--window-size=1300,2000',
    ],
  ];
  return execa(browser ?? '', [...flags, ...words, pathToFileURL(join(folder, page)).href], {
    reject: false,
    timeout: 120_000,
  });
}

t.test(
  'Chromium shows the pages without a complaint and without the network',
  options,
  async (t) => {
    const folder = t.testdir();
    const site = sampleSite('"><script>document.title="taken"</script>');
    for (const [name, page] of site) writeFileSync(join(folder, name), page);
    const pages = [...site.keys()].filter((name) =>
      /^(index|series-7\.3|finding-invariant)/.test(name),
    );
    t.equal(pages.length, 3);
    for (const page of pages) {
      const { stdout, stderr, exitCode } = await open(folder, page, '--dump-dom');
      t.equal(exitCode, 0, stderr);
      t.notMatch(stderr, 'CONSOLE', 'no complaint of the page, its style or its policy');
      t.match(stdout, /<title>ptdiff: /);
      t.notMatch(stdout, '<script>document', 'what was text is text in the document');
    }
    const png = join(folder, 'shot.png');
    await open(folder, given(pages[0]), `--screenshot=${png}`);
    const image = readFileSync(png);
    t.same([image.readUInt32BE(16), image.readUInt32BE(20)], [1300, 2000]);
    t.ok(image.length > 40_000, 'there is something to see');
  },
);
