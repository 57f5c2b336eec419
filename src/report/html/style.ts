// SPDX-License-Identifier: GPL-2.0-only
/**
 * The style of the page. Leaf kinds go from warm (small) to cool (large) colours and also differ in
 * lightness, so that colour-blind readers can tell them apart, also in grey. Permissions are
 * stripes and hollows, never colour alone.
 */
export const style = `
:root{color-scheme:light dark;--bg:#fbfbf9;--fg:#1d2125;--soft:#5c656e;--line:#d9dcdf;--panel:#fff;--code:#f1f2f0;--link:#0b5cad;
--page:#c4803f;--contPte:#efcf8f;--pmd:#aad4e6;--contPmd:#4a8fbd;--pud:#23457c;--mark:#b0127b;
--pass:#dff0e3;--passf:#1b6b34;--fail:#c4281c;--failf:#fff;--crash:#7d1128;--crashf:#fff;--hang:#6a3fa0;--hangf:#fff;--error:#f4c430;--errorf:#3a2c00;--known:#cfe0f5;--knownf:#17457d}
@media (prefers-color-scheme:dark){:root{--bg:#14171a;--fg:#e4e7ea;--soft:#9aa4ae;--line:#343b42;--panel:#1b1f23;--code:#23282d;--link:#7db8f5;
--page:#b5763b;--contPte:#e6cb94;--pmd:#a6d0e4;--contPmd:#3f86b8;--pud:#4d63b0;--mark:#ff6ac1;
--pass:#1d3a27;--passf:#8fdca6;--fail:#e2483c;--failf:#fff;--crash:#a8203f;--crashf:#fff;--hang:#8a5cc7;--hangf:#fff;--error:#e0b226;--errorf:#241b00;--known:#1f3655;--knownf:#a9cdf7}}
*{box-sizing:border-box}
html{scroll-padding-top:4.5rem}
body{margin:0;background:var(--bg);color:var(--fg);font:15px/1.5 system-ui,-apple-system,"Segoe UI",Roboto,"Liberation Sans",sans-serif}
main{max-width:1240px;margin:0 auto;padding:2rem 1.5rem 5rem}
h1{font-size:1.75rem;line-height:1.2;margin:.2rem 0 1rem;letter-spacing:-.01em;text-wrap:balance}
h2{font-size:1.25rem;margin:3rem 0 .9rem;padding-bottom:.35rem;border-bottom:1px solid var(--line)}
h3{font-size:1rem;margin:1.6rem 0 .5rem}h3 small{font-weight:400;color:var(--soft);margin-left:.5rem}
p{margin:.5rem 0}a{color:var(--link);text-underline-offset:.15em}
a:focus-visible,summary:focus-visible,[tabindex]:focus-visible{outline:2px solid var(--link);outline-offset:2px}
code,pre{font-family:ui-monospace,"SF Mono",Menlo,Consolas,"Liberation Mono","DejaVu Sans Mono",monospace;font-size:.86em}
code{overflow-wrap:anywhere}
pre{background:var(--code);border-radius:6px;padding:.7rem .9rem;overflow-x:auto;margin:.3rem 0 .9rem;line-height:1.45;max-height:36rem}
pre.command{white-space:pre-wrap;overflow-wrap:anywhere}
small,.meta,.note,.label,.eyebrow{color:var(--soft)}.note,.meta{font-size:.87rem}
.eyebrow{margin:0;font-size:.85rem}.label{margin:.9rem 0 .2rem;font-size:.8rem;font-weight:600}
.pre{white-space:pre-wrap}.prose{max-width:46rem;padding-left:1.2rem}.prose li{margin:.35rem 0}
nav{margin-top:1.2rem;display:flex;gap:.4rem 1.4rem;flex-wrap:wrap}
dl{display:grid;grid-template-columns:repeat(auto-fit,minmax(13rem,1fr));gap:.8rem 2rem;margin:1.2rem 0}
dt{font-size:.8rem;color:var(--soft)}dd{margin:0;overflow-wrap:anywhere}
.badge{display:inline-block;border-radius:4px;padding:.05rem .5rem;font-size:.84rem;line-height:1.5;white-space:nowrap}
.badge.none{border:1px solid var(--line);color:var(--soft)}.badge.new{background:var(--fail);color:var(--failf)}
.badges .badge{font-size:.95rem;padding:.15rem .65rem;margin:0 .2rem .3rem 0}
.badge.v-pass,td.v-pass{background:var(--pass);color:var(--passf)}.badge.v-fail,td.v-fail{background:var(--fail);color:var(--failf)}
.badge.v-crash,td.v-crash{background:var(--crash);color:var(--crashf)}.badge.v-hang,td.v-hang{background:var(--hang);color:var(--hangf)}
.badge.v-error,td.v-error{background:var(--error);color:var(--errorf)}.badge.v-known,td.v-known{background:var(--known);color:var(--knownf)}
.scroll{overflow-x:auto;margin:.6rem 0}
table{border-collapse:collapse;font-size:.87rem}caption{text-align:left;font-size:.8rem;font-weight:600;color:var(--soft);padding-bottom:.25rem}
th,td{text-align:left;padding:.22rem .8rem .22rem 0;border-bottom:1px solid var(--line);vertical-align:baseline}
thead th{font-weight:600;color:var(--soft);white-space:nowrap}tbody th{font-weight:400;white-space:nowrap}
.num{text-align:right;font-variant-numeric:tabular-nums;white-space:nowrap}td.differs{color:var(--mark);font-weight:600}
.sizes th,.sizes td{padding-right:0;padding-left:1.1rem}.sizes th:first-child{padding-left:0}
.matrix{max-height:80vh;overflow:auto;border:1px solid var(--line);border-radius:8px;background:var(--panel)}
.matrix table{border-collapse:separate;border-spacing:0;font-size:.87rem}
.matrix th,.matrix td{padding:0;border:0}td.early,td.early a{font-size:.65em}
.matrix thead th{position:sticky;top:0;z-index:2;background:var(--panel);vertical-align:bottom;border-bottom:1px solid var(--line)}
.matrix .corner{left:0;z-index:3;padding:.5rem .8rem}
.matrix tbody th{position:sticky;left:0;z-index:1;background:var(--panel);padding:.25rem .9rem .25rem .8rem;border-right:1px solid var(--line)}
.matrix tbody th small{display:block;font-size:.74rem;line-height:1.2}
.scenario-head span{writing-mode:vertical-rl;transform:rotate(180deg);padding:.6rem .2rem;font-weight:400;color:var(--fg);font-size:.8rem;white-space:nowrap}
.matrix td{min-width:1.75rem;vertical-align:middle;height:2.6rem;text-align:center;border:1px solid var(--panel);border-radius:5px}
.matrix td a{display:flex;align-items:center;justify-content:center;height:100%;color:inherit;text-decoration:none;font-weight:600}.matrix td a:hover{text-decoration:underline}
td.none{color:var(--soft)}
details.case,details.finding,details.issue{background:var(--panel);border:1px solid var(--line);border-radius:8px;margin:.4rem 0}
details.case>summary,details.finding>summary,details.issue>summary{padding:.5rem .9rem;cursor:pointer;overflow-wrap:anywhere}
.case .badge{min-width:4.6rem;text-align:center}.case .scenario{margin:0 .6rem 0 .4rem}
.body{padding:.1rem 1.1rem 1rem;border-top:1px solid var(--line)}
.inner{margin:.9rem 0}.inner>summary{cursor:pointer;font-weight:600;font-size:.92rem}
.reason{color:var(--fail);font-weight:600}.links,.where{padding-left:1.2rem;margin:.4rem 0}.where a{margin-left:.55rem;white-space:nowrap}
.where li{margin:.2rem 0}.id{color:var(--soft)}
.known-issue{background:var(--known);color:var(--knownf);border-radius:6px;padding:.35rem .9rem;margin:.8rem 0}
.known-issue a,.known-issue code{color:inherit}
.pair{display:flex;align-items:flex-start;flex-wrap:wrap;gap:.5rem 3rem;margin:1rem 0}
.steps{padding-left:1.6rem;max-width:56rem}.steps li{margin:.45rem 0}.steps small{display:block}
.leaves code{white-space:nowrap}
figure{margin:.7rem 0}figcaption{font-size:.87rem;color:var(--soft)}
svg.map{display:block;width:100%;height:auto;min-width:640px;overflow:visible}figure{overflow-x:auto}
svg.defs{position:absolute}
svg text{font-size:11px;fill:var(--soft);text-anchor:middle;font-variant-numeric:tabular-nums}
svg text.band{text-anchor:end;fill:var(--fg)}svg text.hole{font-size:10px}
@media(max-width:800px){svg.map{min-width:1000px}svg text,svg text.hole{font-size:13px}}
svg path{stroke:none}
svg path.tick{fill:none;stroke:var(--soft);shape-rendering:crispEdges}
path.page{fill:var(--page)}path.contPte{fill:var(--contPte)}path.pmd{fill:var(--pmd)}path.contPmd{fill:var(--contPmd)}path.pud{fill:var(--pud)}
path.ro,path.invalid,path.mixed{fill:var(--panel)}
svg path.rail{stroke:var(--line)}svg path.mark{stroke:var(--mark);stroke-width:12}
.zoomed{font-size:.87rem;margin:1.1rem 0 .2rem;color:var(--fg)}.zoomed.differs{color:var(--mark);font-weight:600}
.key{display:inline-block;width:.7em;height:.7em;border-radius:2px;margin-right:.35em}
.key.page{background:var(--page)}.key.contPte{background:var(--contPte)}.key.pmd{background:var(--pmd)}.key.contPmd{background:var(--contPmd)}.key.pud{background:var(--pud)}.key.invalid{border:2px solid var(--soft)}
.legend{background:var(--panel);border:1px solid var(--line);border-radius:8px;padding:.8rem 1.1rem .5rem;margin-bottom:1rem}
.legend ul{list-style:none;margin:0 0 .5rem;padding:0;display:flex;flex-wrap:wrap;gap:.35rem 1.6rem;font-size:.87rem}
.legend .note{max-width:60rem}.swatch{width:40px;height:16px;vertical-align:-3px;margin-right:.5rem}
.lens{display:grid;grid-template-columns:auto 1fr auto 12rem;gap:.2rem .7rem;align-items:center;margin:.6rem 0 0;font-size:.85rem;color:var(--soft)}
.lens[hidden]{display:none}.lens svg,.lens output{grid-column:1/-1}.lens output{color:var(--fg);font-variant-numeric:tabular-nums}.lens input{width:100%;accent-color:var(--contPmd)}
svg.track{display:block;width:13rem;height:12px}.changes .scroll{max-height:34rem;overflow:auto}.changes .by{min-width:15rem}.changes .by small{display:block}
.changes thead th{position:sticky;top:0;background:var(--panel)}.changes th.num{min-width:4.2rem}
.lens.instants{grid-template-columns:auto 1fr}.instants p{grid-column:1/-1;margin:.2rem 0}
figcaption button,.instants button{font:inherit;font-size:.84rem;padding:.05rem .6rem;border:1px solid var(--line);border-radius:4px;background:none;color:var(--link);cursor:pointer}
figcaption button{margin-left:.5rem}.instants button{margin:0 .4rem .3rem 0}
@media (max-width:640px){main{padding:1rem .8rem 3rem}.lens{grid-template-columns:auto 1fr}}
@media print{*{print-color-adjust:exact;-webkit-print-color-adjust:exact}body{font-size:11px}main{max-width:none;padding:0}nav,.lens{display:none}
.matrix,pre{max-height:none;overflow:visible}pre{white-space:pre-wrap}details.finding::details-content,details.issue::details-content{content-visibility:visible;height:auto}details.case,details.finding,figure{break-inside:avoid-page}
.scroll,figure{overflow:visible}h2,h3{break-after:avoid}}
`;
