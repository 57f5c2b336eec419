// SPDX-License-Identifier: GPL-2.0-only
import t from 'tap';
import { PendingEntries } from '../../src/bbm/pending.ts';

const entry = (va: bigint, size = 0x1000n, level = 3) => ({
  va,
  size,
  level,
  old: { low: 3, high: 0 },
  wasTable: false,
  cpu: 0,
});
const by = (start: bigint, end: bigint, level?: number) => ({
  broadcast: true,
  lastLevelOnly: true,
  global: true,
  range: { start, end },
  ...(level !== undefined && { level }),
});

// With few entries and with many, which are looked up in another way.
for (const others of [0, 1000]) {
  t.test(`a TLBI reaches what it covers, among ${others} others`, (t) => {
    const pending = new PendingEntries();
    for (let index = 0; index < others; index++)
      pending.broke(entry(0x1_0000_0000n + BigInt(index) * 0x1000n));
    for (let page = 0n; page < 4n; page++) pending.broke(entry(page << 12n));
    pending.broke(entry(0x20_0000n, 0x20_0000n, 2));
    pending.barrier(0, false);
    pending.invalidate(0, by(0x1000n, 0x3000n), true);
    pending.invalidate(0, by(0x2f_f000n, 0x30_0000n, 3), true);
    t.equal(pending.at(0x20_0000n, 2)?.missing, 'a TLBI', 'its hint is of another level');
    pending.invalidate(0, by(0x2f_f000n, 0x30_0000n), true);
    pending.barrier(0, true);
    t.match(pending.at(0n, 3), { missing: 'a TLBI' });
    t.equal(pending.at(0x1000n, 3), undefined);
    t.equal(pending.at(0x2000n, 3), undefined);
    t.match(pending.at(0x3000n, 3), { missing: 'a TLBI' });
    t.equal(pending.at(0x20_0000n, 2), undefined, 'any address of a block is enough');
    t.equal(pending.size, others + 2);
    pending.invalidate(0, { broadcast: true, lastLevelOnly: false, global: true }, true);
    pending.barrier(0, true);
    t.equal(pending.size, 0);
    t.end();
  });
}
