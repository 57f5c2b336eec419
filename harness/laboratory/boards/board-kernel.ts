// SPDX-License-Identifier: GPL-2.0-only
import { say } from '../../../host/say.ts';
import type { FetchOptions } from '../../../images/debian/apt.ts';
import { checkImage } from '../../../images/image-check.ts';
import { keepImage } from '../../../images/keep-image.ts';
import { specsOfRelease } from '../../../images/kernels.ts';
import { messageOf, PtdiffError } from '../../../src/errors.ts';
import type { Board, VmcoreInfo } from '../../../src/evidence/board.ts';
import { type LoadedKernel, loadKernel } from '../loaded-kernel.ts';

/** The kernel of a board, or what the user has to give. */
export type BoardKernel = { kernel: LoadedKernel } | { lacks: string };

/** Why a kernel is not the board's, as a part of a sentence; undefined where it is. */
function whyAnother(
  { image, symbols, buildIds }: LoadedKernel,
  info: VmcoreInfo,
): string | undefined {
  if (image.release !== info.release) return `it is ${image.release}`;
  if (info.buildId !== undefined && !buildIds.includes(info.buildId))
    return `it is another build: its build ID is ${buildIds.join(' or ') || 'none'}`;
  const swapper = symbols.address('swapper_pg_dir');
  return swapper === undefined || swapper + info.slide === info.swapperPgDir
    ? undefined
    : 'its swapper_pg_dir lies elsewhere';
}

const boardsKernel = ({ release, buildId }: VmcoreInfo): string =>
  `${release}${buildId === undefined ? '' : `, build ID ${buildId}`}`;

/**
 * Finds the kernel that a board runs: the one that the user names, the Image in the archive, or
 * Debian's of the same release; and makes sure by its build ID that it is this one.
 * @param spec of --kernel
 * @throws PtdiffError(usage) where the named kernel, or the Image in the archive, is another one
 */
export async function kernelOf(
  board: Board,
  info: VmcoreInfo,
  spec: string | undefined,
  options: FetchOptions,
): Promise<BoardKernel> {
  if (spec !== undefined)
    return { kernel: await require_(spec, `--kernel ${spec}`, info, options) };
  if (board.image !== undefined) {
    const { bytes } = checkImage(Buffer.from(board.image), 'the Image in the archive');
    const { imagePath } = await keepImage(bytes);
    const kept = `file:${imagePath}`;
    return { kernel: await require_(kept, 'the Image in the archive', info, options) };
  }
  return debianKernel(info, options);
}

async function require_(
  spec: string,
  name: string,
  info: VmcoreInfo,
  options: FetchOptions,
): Promise<LoadedKernel> {
  const kernel = await loadKernel(spec, options);
  const why = whyAnother(kernel, info);
  if (why === undefined) return kernel;
  throw new PtdiffError(
    'usage',
    `${name} is not the kernel of the board (${boardsKernel(info)}): ${why}.`,
  );
}

/** Debian's kernel of the board's release; several builds may have the same. */
async function debianKernel(info: VmcoreInfo, options: FetchOptions): Promise<BoardKernel> {
  const ask = `name its Image by --kernel file:PATH, or collect again with --with-image PATH`;
  try {
    for (const spec of await specsOfRelease(info.release, options)) {
      const kernel = await loadKernel(spec, options);
      const why = whyAnother(kernel, info);
      if (why === undefined) return { kernel };
      say(`${spec} is not the kernel of the board: ${why}`);
    }
  } catch (error) {
    if (!(error instanceof PtdiffError) || error.fault === 'harness') throw error;
    return {
      lacks: `Its kernel (${boardsKernel(info)}) could not be had: ${messageOf(error).replace(/\.$/, '')}; ${ask}.`,
    };
  }
  return { lacks: `Its kernel (${boardsKernel(info)}) is not in Debian's archive: ${ask}.` };
}
