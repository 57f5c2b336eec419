// SPDX-License-Identifier: GPL-2.0-only
import t from 'tap';
import { debianMirror, mirrorOfSources } from '../../../images/debian/mirror.ts';

t.test('the first Debian source of either file format', async (t) => {
  const list =
    '# deb http://commented.invalid/debian trixie main\ndeb http://other.invalid/x nodistro main\ndeb [arch=amd64 signed-by=/k] http://list.invalid/debian bookworm main\n';
  t.equal(mirrorOfSources([list]), 'http://list.invalid/debian');
  const deb822 =
    'Types: deb\nURIs: http://vendor.invalid/x\nSuites: stable-vendor\n\nEnabled: no\nTypes: deb\nURIs: http://off.invalid/debian\nSuites: sid\n\nTypes: deb\n# by hand\nURIs: http://sources.invalid/debian\nSuites: bookworm bookworm-updates\n';
  t.equal(mirrorOfSources(['', deb822]), 'http://sources.invalid/debian');
  t.equal(
    mirrorOfSources(['deb http://security.invalid/debian-security bookworm-security main']),
    undefined,
  );
});

t.test('what the user names comes first', async (t) => {
  t.equal(await debianMirror('http://named.invalid/debian/'), 'http://named.invalid/debian');
});
