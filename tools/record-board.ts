// SPDX-License-Identifier: GPL-2.0-only
import { join, relative } from 'node:path';
import { fs } from 'zx';
import { playBoard } from '../test/guest/play-board.ts';
import {
  kernelRecording,
  recordedKernelPath,
} from '../test/harness/laboratory/boards/recorded-kernel.ts';
import { root, tellChanges, wordsOf, writePacked } from './script.ts';

/**
 * Records what guest/collect leaves on a guest that plays a live machine. Each boot has other
 * addresses in some places, so that the file differs each time. A kernel that was built from source
 * is recorded, too.
 */
const usage = 'npm run record:board -- SPEC SCENARIO FILE';

const [spec = '', scenario = '', name = ''] = wordsOf(usage, 3);
const { archive, kernel } = await playBoard(spec, scenario);
const path = join(root, 'test', 'evidence', 'fixtures', `board-${name}.tar.gz`);
fs.writeFileSync(path, archive);
const recording = recordedKernelPath(kernel.image.release);
if (kernel.image.flavour.startsWith('source')) writePacked(recording, kernelRecording(kernel));
await tellChanges(relative(root, path), relative(root, recording));
