// SPDX-License-Identifier: GPL-2.0-only
import t from 'tap';
import { followRecording } from '../../../../src/evidence/follow-recording.ts';
import { recordedKernel } from '../../../diff/refinement/recorded-kernel.ts';

t.test('the root of init is followed to the end, in memory that the Image has freed, too', (t) => {
  const { recording, kernel } = recordedKernel('7.3.4-64k-virtio-kvm-debug_pagealloc@max');
  const { image, state } = kernel;
  const imageEnd = image.pa + state.question.symbolOffset('__bss_stop');
  /** Root tables of the lower half have level 1 with pages of 64K; the first process is init. */
  let root: { pa: number; id: number } | undefined;
  const ended: number[] = [];
  followRecording(recording, {
    linked: ({ upper, level, pa, id }, { before }) => {
      if (!upper && level === 1 && before === 'init') root ??= { pa, id };
    },
    unlinked: ({ id }) => void ended.push(id),
  });
  t.ok(root && root.pa >= image.pa && root.pa < imageEnd, 'it lies in the Image');
  t.ok(ended.length > 0);
  t.notOk(ended.includes(root?.id ?? 0), 'no switch to another process ends it');
  t.end();
});
