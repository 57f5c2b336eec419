// SPDX-License-Identifier: GPL-2.0-only
/** The libraries that makedumpfile compresses pages with, beside guest/collect's decoders. */

import { join } from 'node:path';
import { sourceFiles } from '../../guest/build-key.ts';
import { packageFiles } from '../../images/debian/package-closure.ts';
import { hostArchitecture, openToolArchive } from '../../images/toolchain/tool-archive.ts';
import { toolPrefix } from '../../images/toolchain/tool-prefix.ts';
import { hostToolchain } from '../../images/toolchain/toolchain.ts';

const collect = join(import.meta.dirname, '../../guest/collect');
const decoders = ['lz77.c', 'lzo.c', 'snappy.c'].map((name) => join(collect, name));

/** Debian's liblzo2 and libsnappy, which is in C++. */
const libraries = () =>
  toolPrefix(
    'page-compression',
    async () => {
      const archive = await openToolArchive('trixie', {});
      const names = ['liblzo2-dev', 'libsnappy-dev', 'libstdc++-14-dev'];
      return {
        parts: [{ archive, packages: await packageFiles(archive, names, 'trixie') }],
        notes: [],
      };
    },
    {},
  );

/**
 * Builds test/guest/compressed-pages for this host. Undefined behaviour ends it with a signal.
 * @param output path of the program
 */
export async function buildCompressedPages(output: string): Promise<void> {
  const { tree } = await libraries();
  const triplet = hostArchitecture() === 'arm64' ? 'aarch64-linux-gnu' : 'x86_64-linux-gnu';
  const toolchain = await hostToolchain();
  await toolchain.compileStatic({
    sources: [
      ...decoders,
      ...(await sourceFiles(join(import.meta.dirname, 'compressed-pages'), /\.c$/)),
    ],
    includeDirs: [collect, join(tree, 'usr/include')],
    output,
    flags: [
      ...['-std=gnu11', '-Wextra', '-Werror', '-D_GNU_SOURCE'],
      ...['-fsanitize=undefined', '-fsanitize-trap=undefined'],
    ],
    libraries: [
      ...['liblzo2.a', 'libsnappy.a'].map((name) => join(tree, 'usr/lib', triplet, name)),
      join(tree, 'usr/lib/gcc', triplet, '14/libstdc++.a'),
    ],
  });
}
