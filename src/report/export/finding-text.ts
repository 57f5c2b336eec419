// SPDX-License-Identifier: GPL-2.0-only
import type { Finding } from '../../diff/types.ts';
import { plainLine, preformatted } from '../plain-text.ts';

const width = 100;
/** Lines of a finding's detail in an export; the run folder has the rest. */
const mostLines = 24;

/**
 * A finding as lines of safe text, none longer than 100 columns: id, title, known issue, evidence.
 */
export function findingLines({ id, title, known, detail }: Finding): string[] {
  const evidence = preformatted(detail, '    ', width);
  const more =
    evidence.length > mostLines ? [`    … and ${evidence.length - mostLines} more lines`] : [];
  return [
    ...preformatted(`${plainLine(id)}: ${plainLine(title)}`, '', width),
    ...(known === undefined ? [] : [`  known issue ${plainLine(known)}`]),
    ...evidence.slice(0, mostLines),
    ...more,
  ];
}

/** The known issues that findings match, each once. */
export function knownIds(findings: readonly Finding[]): string[] {
  return [...new Set(findings.flatMap(({ known }) => known ?? []))];
}
