// SPDX-License-Identifier: GPL-2.0-only
import type { Evidence } from '../../evidence/capture.ts';
import { findSplats, type Splat } from '../../linux/splats.ts';
import { first } from '../../present.ts';
import type { BootInvariant } from '../context.ts';
import { findingId, slug } from '../finding-id.ts';
import { countText, detailOf } from '../text.ts';
import type { Finding } from '../types.ts';

/** Lines of a report that go into a finding's detail; the console log has the rest. */
const mostLines = 40;

/**
 * The kernel does not complain: no WARN, BUG, Oops, KASAN, KFENCE, RCU stall, W+X message or the
 * like in its log (see findSplats), on the console or in dmesg. One finding for each kind and
 * title, with its call chain; a complaint that is in both logs, or is repeated, counts once.
 */
export const noSplat: BootInvariant = ({ evidence }) => splatFindings(evidence);

/** The complaints in one boot's logs. */
export function splatFindings(evidence: Pick<Evidence, 'console' | 'files'>): Finding[] {
  const logs = [evidence.console, evidence.files.dmesg ?? ''].map((log) =>
    Map.groupBy(findSplats(log), splatId),
  );
  const ids = [...new Set(logs.flatMap((log) => [...log.keys()]))].sort();
  return ids.flatMap((id) => {
    // The log that shows it more often is more complete: dmesg may have wrapped, and the console
    // may have been cut.
    const [seen = []] = logs.map((log) => log.get(id) ?? []).sort((a, b) => b.length - a.length);
    return [splatFinding(id, seen)];
  });
}

/** Id of the finding for a complaint. */
export function splatId({ kind, title }: Pick<Splat, 'kind' | 'title'>): string {
  return findingId('splat', [slug(kind), slug(title)]);
}

function splatFinding(id: string, splats: readonly Splat[]): Finding {
  const splat = splats.find(({ callChain }) => callChain.length > 0) ?? first(splats);
  const chain = splat.callChain.length === 0 ? 'none in the report' : splat.callChain.join(' <- ');
  const more =
    splat.lines.length > mostLines ? [`… and ${splat.lines.length - mostLines} more lines`] : [];
  return {
    id,
    kind: 'splat',
    title: splat.title,
    detail: detailOf([
      `Seen ${countText(splats.length, 'time')}. Call chain: ${chain}`,
      ...splat.lines.slice(0, mostLines).map((line) => `  ${line}`),
      ...more,
    ]),
  };
}
