// SPDX-License-Identifier: GPL-2.0-only
import { writeFile } from 'node:fs/promises';
import t from 'tap';
import { explainDiskFull, requireSpace } from '../../host/disk-space.ts';

process.env.PTDIFF_CACHE = t.testdir();

t.test('a full disk is one sentence with sizes; other errors pass', async (t) => {
  await t.rejects(requireSpace(2 ** 60, 'the moon'), {
    fault: 'host',
    message: /the moon: it needs about \d+ MiB and .* has \d+ MiB free/,
  });
  const real = await writeFile('/dev/full', 'x').catch((error: Error) => error);
  t.match(await explainDiskFull(real, 'a kernel'), {
    fault: 'host',
    message: /No disk space for a kernel/,
  });
  const other = new Error('something else');
  t.equal(await explainDiskFull(other, 'a kernel'), other);
});
