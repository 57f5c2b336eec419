// SPDX-License-Identifier: GPL-2.0-only
import type { CaseResult, LinearMapSizes } from '../../diff/types.ts';
import { checkpointNames } from '../../evidence/capture.ts';
import { linearMapSizes } from '../../linux/leaf-kind.ts';
import { stage1Regime } from '../../vmsa/regime.ts';
import { acceptedText, compositionKinds, kindLabel, sameSizes } from '../leaf-kinds.ts';
import type { CaseDossier } from '../types.ts';
import { formatMebibytes } from '../units.ts';
import { html, type Markup } from './markup.ts';

function sizesRow(
  checkpoint: string,
  side: Markup | string,
  sizes: LinearMapSizes,
  other: LinearMapSizes | undefined,
): Markup {
  const cells = compositionKinds.map((kind) => {
    const differs = other !== undefined && other[kind] !== sizes[kind];
    const text = sizes[kind] === 0 ? '–' : formatMebibytes(sizes[kind]);
    return differs
      ? html`<td class="num differs">≠ ${text}</td>`
      : html`<td class="num">${text}</td>`;
  });
  return html`<tr><th scope="row">${checkpoint}</th><td>${side}</td>${cells}</tr>`;
}

/** Bytes by leaf kind at each checkpoint, predicted above actual, in MiB. */
export function compositionTable(result: CaseResult, dossier: CaseDossier): Markup | undefined {
  const reached = checkpointNames.filter((name) => result.linearMap[name] !== undefined);
  if (reached.length === 0) return undefined;
  const [first] = dossier.drawings;
  const granule = first === undefined ? undefined : stage1Regime(first.registers, 'ttbr1').granule;
  const heads = compositionKinds.map((kind) => {
    const label = kind === 'invalid' || granule === undefined ? kind : kindLabel(granule, kind);
    return html`<th scope="col" class="num"><span class="key ${kind}" aria-hidden="true"></span>${label}</th>`;
  });
  const rows = reached.flatMap((name) => {
    const actual = result.linearMap[name] as LinearMapSizes;
    const drawing = dossier.drawings.find(({ checkpoint }) => checkpoint === name);
    const predicted = drawing === undefined ? undefined : linearMapSizes(drawing.predicted);
    const accepted =
      drawing !== undefined &&
      predicted !== undefined &&
      !sameSizes(predicted, actual) &&
      drawing.differences.length === 0;
    return [
      ...(predicted === undefined ? [] : [sizesRow(name, 'predicted', predicted, undefined)]),
      accepted
        ? sizesRow(name, html`actual <small>${acceptedText}</small>`, actual, undefined)
        : sizesRow(name, 'actual', actual, predicted),
    ];
  });
  return html`<div class="scroll"><table class="sizes"><caption>Linear map in MiB by leaf kind</caption>
<thead><tr><th scope="col">checkpoint</th><th scope="col">side</th>${heads}</tr></thead><tbody>${rows}</tbody></table></div>`;
}
