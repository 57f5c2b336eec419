// SPDX-License-Identifier: GPL-2.0-only
import type { Verdict } from '../../diff/types.ts';
import { verdictStyles } from '../verdicts.ts';
import { html, type Markup } from './markup.ts';

/** A verdict as a symbol and a word on its colour. */
export function verdictBadge(verdict: Verdict, count?: number): Markup {
  const number = count === undefined ? undefined : html`<b>${count}</b> `;
  return html`<span class="badge v-${verdict}"><span aria-hidden="true">${verdictStyles[verdict].symbol}</span> ${number}${verdict}</span>`;
}
