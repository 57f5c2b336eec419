// SPDX-License-Identifier: GPL-2.0-only
import t from 'tap';
import type { IndexedPackage } from '../../../images/debian/package-index.ts';
import { pickEmulator } from '../../../images/emulator/pick-emulator.ts';

/** What the amd64 suites had on 2026-11-22. */
const offered: IndexedPackage[] = [
  { version: '1:10.0.13+ds-0+deb13u1', suite: 'trixie' },
  { version: '1:11.1.3+ds-1~bpo13+1', suite: 'trixie-backports' },
  { version: '1:10.0.2+ds-2+deb13u1~bpo12+1', suite: 'bookworm-backports' },
].map((each) => ({ name: 'qemu-system-arm', ...each, url: '', bytes: 0, sha256: '' }));

t.test('the exact version, or the newest of a series, without a note', async (t) => {
  t.match(pickEmulator(offered, '11.1.3', true), {
    package: { suite: 'trixie-backports' },
    notes: { length: 0 },
  });
  t.match(pickEmulator(offered, '10.0', false), {
    package: { suite: 'trixie' },
    notes: { length: 0 },
  });
  t.match(pickEmulator(offered, '10.0.2', false), {
    package: { suite: 'bookworm-backports' },
    notes: { length: 0 },
  });
});

t.test(
  'a replaced version gives its series, with a note; another series only when any will do',
  async (t) => {
    t.match(pickEmulator(offered, '11.1.1', true), {
      package: { version: /11\.1\.3/ },
      notes: [/no longer has QEMU 11\.1\.1; 11\.1\.3 of trixie-backports/],
    });
    t.match(pickEmulator(offered, '10.2.0', true), {
      package: { version: /11\.1\.3/ },
      notes: [/10\.2\.0/],
    });
    t.equal(pickEmulator(offered, '10.2.0', false), undefined);
    t.equal(pickEmulator([], '11.1.3', true), undefined);
  },
);
