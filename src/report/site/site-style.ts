// SPDX-License-Identifier: GPL-2.0-only
/** What the site needs beyond the style of a report. */
export const siteStyle = `
.grid{display:grid;grid-template-columns:repeat(auto-fill,minmax(22rem,1fr));gap:.8rem 1.2rem;margin:1rem 0}
.grid figure{margin:0;background:var(--panel);border:1px solid var(--line);border-radius:8px;padding:.7rem .8rem .5rem;overflow:hidden}
.grid figcaption{color:var(--fg);overflow-wrap:anywhere;margin-bottom:.3rem}
svg.chart{display:block;width:100%;height:auto;overflow:visible}
svg.chart text{text-anchor:start}svg.chart text.end{text-anchor:end}
svg.chart rect.page{fill:var(--page)}svg.chart rect.contPte{fill:var(--contPte)}svg.chart rect.pmd{fill:var(--pmd)}
svg.chart rect.contPmd{fill:var(--contPmd)}svg.chart rect.pud{fill:var(--pud)}
svg.chart rect.invalid{fill:var(--bg);stroke:var(--soft);stroke-width:.5}
svg.chart path.line{fill:none;stroke:var(--contPmd);stroke-width:1.5;stroke-linejoin:round}
svg.chart circle{fill:var(--contPmd)}svg.chart path.axis{fill:none;stroke:var(--line)}
.changed{font-size:.7em;vertical-align:super}
td.changes{box-shadow:inset 0 0 0 2px var(--mark)}
.badge.there{background:var(--fail);color:var(--failf)}.badge.gone{background:var(--pass);color:var(--passf)}
.findings td,.findings th{vertical-align:top;white-space:normal}.findings td.when{white-space:nowrap}
.when small{display:block}
`;
