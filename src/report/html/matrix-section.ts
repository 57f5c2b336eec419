// SPDX-License-Identifier: GPL-2.0-only
import { countText } from '../../diff/text.ts';
import { present } from '../../present.ts';
import { layMatrix, type MatrixCell, type MatrixRow } from '../matrix.ts';
import type { Report } from '../types.ts';
import { verdictStyles } from '../verdicts.ts';
import type { Anchors } from './case-section.ts';
import { html, type Markup } from './markup.ts';

function cellMarkup(cell: MatrixCell, row: MatrixRow, scenario: string, anchors: Anchors): Markup {
  if (cell.kind === 'left-out') return html`<td class="none" title="left out by thinning">·</td>`;
  if (cell.kind === 'planned') return html`<td class="none" title="not run yet">?</td>`;
  if (cell.kind === 'absent') return html`<td></td>`;
  const { verdict, findings } = cell.result;
  const what = `${row.name}, ${scenario}: ${verdict}${findings.length > 0 ? `, ${countText(findings.length, 'finding')}` : ''}`;
  return html`<td class="v-${verdict}"><a href="#${anchors.case(cell.result.case)}" title="${what}" aria-label="${what}">${verdictStyles[verdict].symbol}</a></td>`;
}

/**
 * Kernels by scenarios; each cell links to its case. Headings stay in view while the table scrolls.
 */
export function matrixSection(report: Report, anchors: Anchors): Markup {
  const matrix = layMatrix(report.run, report.cases);
  if (matrix.rows.length === 0)
    return html`<section id="matrix"><h2>Matrix</h2><p>No case was planned.</p></section>`;
  const heads = matrix.scenarios.map(
    (name) => html`<th scope="col" class="scenario-head"><span>${name}</span></th>`,
  );
  const body = matrix.rows.map(
    (row) =>
      html`<tr><th scope="row"><b>${row.name}</b><small>${row.spec}</small></th>${row.cells.map((cell, index) => cellMarkup(cell, row, present(matrix.scenarios[index], 'scenario of a cell'), anchors))}</tr>
`,
  );
  return html`<section id="matrix"><h2>Matrix</h2>
<div class="scroll matrix" tabindex="0" role="region" aria-label="Verdicts of kernels by scenarios"><table>
<thead><tr><th scope="col" class="corner">kernel</th>${heads}</tr></thead><tbody>
${body}</tbody></table></div>
${report.run.leftOut.length > 0 ? html`<p class="note">· left out by pairwise thinning: ${countText(report.run.leftOut.length, 'case')}; <code>--scenario all</code> runs everything.</p>` : undefined}</section>`;
}
