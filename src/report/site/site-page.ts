// SPDX-License-Identifier: GPL-2.0-only
import { html, Markup } from '../html/markup.ts';
import { style } from '../html/style.ts';
import { siteStyle } from './site-style.ts';

/** One page of the site as a complete document: it loads nothing and runs no script. */
export function sitePage(title: string, body: Markup): string {
  return html`<!DOCTYPE html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'">
<meta name="color-scheme" content="light dark"><title>ptdiff: ${title}</title>
<style>${new Markup(style + siteStyle)}</style></head><body><main>
${body}</main></body></html>
`.text;
}

/** The line above a page's title: where the reader is. */
export function trail(...parts: (Markup | string)[]): Markup {
  return html`<p class="eyebrow"><a href="index.html">ptdiff · history</a>${parts.map((part) => html` · ${part}`)}</p>`;
}
