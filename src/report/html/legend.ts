// SPDX-License-Identifier: GPL-2.0-only
import { leafKinds } from '../leaf-kinds.ts';
import { bandHeight, outline } from './bands.ts';
import { html, type Markup } from './markup.ts';

const middle = bandHeight / 2;

function look(name: string): Markup {
  return html`<path class="${name}" d="${outline(name, [{ from: 0, to: 40 }])}"/>`;
}

function swatch(kind: string, overlay: Markup | undefined, label: string): Markup {
  return html`<li><svg class="swatch" viewBox="0 0 40 ${bandHeight}" aria-hidden="true">${look(kind)}${overlay}</svg>${label}</li>`;
}

const meanings: Record<(typeof leafKinds)[number], string> = {
  page: 'page (4K; 16K)',
  contPte: 'contiguous pages (64K; 2M)',
  pmd: 'PMD block (2M; 32M)',
  contPmd: 'contiguous PMD blocks (32M; 1G)',
  pud: 'PUD block (1G)',
};

/** What the colours and stripes of the maps mean; sizes for a granule of 4K, then of 16K. */
export const legend: Markup = html`<div class="legend"><ul>${leafKinds.map((kind) => swatch(kind, undefined, meanings[kind]))}</ul>
<ul>${swatch('pmd', undefined, 'read-write')}${swatch('pmd', look('ro'), 'striped: read-only')}${swatch('pmd', look('invalid'), 'hollow: present, not valid')}<li><svg class="swatch" viewBox="0 0 40 ${bandHeight}" aria-hidden="true"><path class="rail" d="M0 ${middle}h40"/><path class="mark" d="M12 ${middle}h14"/></svg>the two sides differ</li></ul>
<p class="note">The maps are to scale. Where a leaf is finer than a pixel of the screen, neighbouring colours blend; the enlarged views below each map resolve them. A large hole in physical memory is cut out and labelled ⋯ with its size.</p></div>`;
