// SPDX-License-Identifier: GPL-2.0-only
import type { Invariant } from '../context.ts';
import { clipToPhysical } from '../physical.ts';
import { runsIn } from '../runs.ts';
import { leavesViolation } from './violation.ts';

/**
 * Pages of memfd_secret(2) are not valid in the linear map while the guest holds them:
 * secretmem_fault() in mm/secretmem.c calls set_direct_map_invalid_noflush() for each. The kernel
 * can leak the secret in a page that is still valid there.
 */
export const secretPagesInvalid: Invariant = (context) => {
  const { capture, evidence, granule, linear } = context;
  if (capture.checkpoint !== 'init') return [];
  const pages = evidence.probes
    .filter(({ probe, errno }) => probe === 'memfd_secret' && errno === 0)
    .flatMap((probe) => probe.pages.map((pa) => ({ start: pa, end: pa + granule })));
  const valid = runsIn(capture.ttbr1.leaves, linear.start, linear.end).filter((run) => run.valid);
  return leavesViolation(
    context,
    {
      name: 'secret-pages-invalid',
      nature: 'valid',
      title: 'pages of memfd_secret are still valid in the linear map',
      because:
        'secretmem_fault() makes each page invalid in the linear map before user space gets it.',
    },
    pages.flatMap((page) => valid.flatMap((run) => clipToPhysical(run, page) ?? [])),
  );
};
