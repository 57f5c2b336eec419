// SPDX-License-Identifier: GPL-2.0-only
import type { Finding } from '../diff/types.ts';
import type { Evidence } from '../evidence/capture.ts';
import { plainLine } from './plain-text.ts';

/** What ptdiff can learn about a boot below software that it does not know. */
interface FirmwareBoot extends Pick<Evidence, 'files' | 'probes' | 'guestProblems'> {
  /** Why the machine stopped, as the end of a sentence. */
  end: string;
  /** Whether init's records were found in RAM. */
  recordsFound: boolean;
}

/**
 * The report on a boot with the user's own flash image: the guest's text without characters that no
 * terminal should get.
 */
export function formatFirmwareBoot(
  { end, recordsFound, files, probes, guestProblems = [] }: FirmwareBoot,
  findings: Finding[],
): string {
  const told = recordsFound
    ? `${Object.keys(files).length} files of the guest`
    : 'no records of its init';
  const lines = [
    `The machine stopped: ${plainLine(end)}. RAM holds ${told}.`,
    ...probes.map(
      ({ probe, call, errno }) =>
        `probe ${probe}: ${errno === 0 ? 'ok' : `${call} failed, errno ${errno}`}`,
    ),
    ...guestProblems.map((problem) => `guest: ${problem}`),
    ...findings.flatMap(({ id, detail }) => [id, ...detail.split('\n').map((line) => `  ${line}`)]),
    "Not looked at: page tables, registers, the realm's RIPAS; nothing was predicted.",
  ];
  return `${lines.map(plainLine).join('\n')}\n`;
}
