// SPDX-License-Identifier: GPL-2.0-only
import type { UpdateRow } from '../../diff/types.ts';
import { faultOf } from '../../diff/update-findings.ts';
import { formatCount } from '../units.ts';
import { conflictNote, levels, mayConflict } from '../update-levels.ts';
import { html, type Markup } from './markup.ts';

const number = (count: number): Markup =>
  html`<td class="num">${count === 0 ? '–' : formatCount(count)}</td>`;

function row({ site, chain, counts, claimed, reason, missing }: UpdateRow): Markup {
  const within = chain.length > 0 ? html` <small>in ${chain.join(' ← ')}</small>` : undefined;
  return html`<tr><th scope="row"><code>${site}</code>${within}</th><td>${faultOf({ reason, missing })}</td>${counts.map(number)}<td class="num${claimed > 0 ? ' differs' : ''}">${claimed === 0 ? '–' : formatCount(claimed)}</td></tr>`;
}

/** Of a recorded boot: which instructions change tables as a level of FEAT_BBM does not allow. */
export function updatesTable(rows: readonly UpdateRow[] | undefined): Markup | undefined {
  if (rows === undefined) return undefined;
  if (rows.length === 0)
    return html`<p class="note">Every change of a table is allowed at every level of FEAT_BBM.</p>`;
  const heads = levels.map((level) => html`<th scope="col" class="num">level ${level}</th>`);
  return html`<details class="inner"><summary>Changes of tables that a level of FEAT_BBM does not allow</summary>
<div class="scroll"><table class="sizes"><thead><tr><th scope="col">site</th><th scope="col">what</th>${heads}<th scope="col" class="num">these CPUs</th></tr></thead><tbody>${rows.map(row)}</tbody></table></div>${rows.some(mayConflict) ? html`<p class="note">${conflictNote}</p>` : undefined}</details>`;
}
