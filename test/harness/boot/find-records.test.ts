// SPDX-License-Identifier: GPL-2.0-only
import { truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { findRecords } from '../../../harness/boot/find-records.ts';
import { openRam, type RamFile } from '../../../harness/emulator/ram-file.ts';
import { fileRecords, type GuestRam, ramWith } from '../../linux/records-writer.ts';

const base = 0x4000_0000;
const bytes = 8 << 20;
/** Where the guest believes its directory to be. */
const directory = base + 5 * 4096;

/** A RAM file that holds a guest's pages `distance` bytes above where the guest has them. */
function ramOf(
  t: Test,
  guest: GuestRam,
  distance: number,
  spoil: (file: Buffer) => void = () => {},
): RamFile {
  const file = Buffer.alloc(bytes);
  for (const [pa, page] of [...guest.pages, [directory, guest.directory] as const])
    file.set(page, pa + distance - base);
  spoil(file);
  const path = join(t.testdir(), 'ram');
  writeFileSync(path, file);
  truncateSync(path, bytes);
  return openRam(path, base);
}

const guest = () => ramWith(fileRecords('/proc/version', 'Linux version 7.3.4\n', 2));
const told = `boot\nptdiff: directory 0x${directory.toString(16)}\nptdiff: done\n`;
const files = { '/proc/version': 'Linux version 7.3.4\n' };

t.test('records are found where the guest has its addresses of the machine', async (t) => {
  t.match(findRecords(ramOf(t, guest(), 0), base, bytes, ''), { files });
});

t.test(
  'a guest below other software is found by the distance to the address that it says',
  async (t) => {
    const ram = ramOf(t, guest(), 3 << 20);
    t.match(findRecords(ram, base, bytes, told), { files });
    t.equal(
      findRecords(ram, base, bytes, '')?.files['/proc/version'],
      undefined,
      'nothing is made of other pages',
    );
  },
);

t.test('pages that only look like a directory are passed over', async (t) => {
  const ram = ramOf(t, guest(), 0, (file) => {
    file.write('PDIFFRD1', 0, 'latin1');
    file.write('PDIFFRD1', 4096 + 8, 'latin1');
    // A directory without index pages that claims to hold records.
    Buffer.from(guest().directory.subarray(0, 40)).copy(file, 2 * 4096);
  });
  t.match(findRecords(ram, base, bytes, told), { files });
  t.equal(findRecords(ramOf(t, ramWith([]), 0), base, bytes, told), undefined);
});
