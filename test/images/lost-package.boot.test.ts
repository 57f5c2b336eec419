// SPDX-License-Identifier: GPL-2.0-only
import { readdir } from 'node:fs/promises';
import t from 'tap';
import { cachePath } from '../../host/cache.ts';
import { resolveKernel } from '../../images/kernels.ts';
import { lossyMirror } from './lossy-mirror.ts';

t.setTimeout(10 * 60_000);
process.env.PTDIFF_CACHE = t.testdir();

t.test(
  'a kernel that is listed but gone is an image error that names it; a lost config is a note',
  async (t) => {
    const mirror = await lossyMirror(
      /linux-binary-7\.3\.\d+\+[^/]*-rt-arm64_|linux-base-7\.3\.\d+\+[^/]*-cloud-arm64_/,
    );
    t.teardown(mirror.close);
    const options = { mirror: mirror.address };
    await t.rejects(resolveKernel('debian:7.3:rt', options), {
      fault: 'image',
      message:
        /^debian:7\.3:rt: linux-binary-7\.3\.\d+\S*-rt-arm64 7\.3\.\S+ is listed by Debian's index, but its file is gone from the archive\. Choose another version/,
    });
    t.match(await resolveKernel('debian:7.3:cloud', options), {
      release: /^7\.3\..*-cloud-arm64$/,
      configPath: undefined,
      notes: [
        /^linux-base-7\.3\S*-cloud-arm64 \S+ is listed by Debian's index, but its file is gone/,
      ],
    });
    t.same(await readdir(cachePath('tmp')), []);
  },
);
