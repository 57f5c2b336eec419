// SPDX-License-Identifier: GPL-2.0-only
import { join } from 'node:path';
import { $, echo, fs, tmpdir } from 'zx';
import { type LoadedKernel, loadKernel } from '../harness/laboratory/loaded-kernel.ts';
import { readCaseLines, readDossier } from '../results/run-folder.ts';
import { leafKind } from '../src/linux/leaf-kind.ts';
import { present } from '../src/present.ts';
import { bandHeight, createBandStore, outline } from '../src/report/html/bands.ts';
import { type MapBands, overview, windowLetters, zoomed } from '../src/report/html/map-view.ts';
import { html, type Markup, Markup as Svg } from '../src/report/html/markup.ts';
import { measure, unit } from '../src/report/html/scale.ts';
import { style } from '../src/report/html/style.ts';
import { zoomWindows } from '../src/report/html/zoom-windows.ts';
import { kindLabel, leafKinds } from '../src/report/leaf-kinds.ts';
import type { CaseDrawing } from '../src/report/types.ts';
import { formatBytes, formatPhysical } from '../src/report/units.ts';
import { stage1Regime } from '../src/vmsa/regime.ts';
import { root, tellChanges } from './script.ts';

/**
 * Draws docs/map.svg, the picture in the README: boots a kernel with a defect, and takes the linear
 * map from its case as report.html shows it. Call without arguments: `npm run draw:readme`.
 */
const spec = 'debian:7.3.4';
const scenario = 'neoverse-v3-r0p2+kfence100';
const spoilt = 'mark_linear_text_alias_ro';
/** Width of the page's pictures, and the extra room on their left for larger letters. */
const [width, edge] = [1000, 20];

/**
 * The Image of a kernel in which a function returns at once, after the instructions that ftrace
 * patches.
 */
function withoutFunction({ image, symbols }: LoadedKernel, name: string): Uint8Array {
  const bytes = new Uint8Array(fs.readFileSync(image.imagePath));
  const address = present(symbols.address(name), `function ${name} in ${spec}`);
  const ret = 0xd65f03c0;
  const at = Number(address - symbols.textBase) + 8;
  new DataView(bytes.buffer, bytes.byteOffset).setUint32(at, ret, true);
  return bytes;
}

/** Boots the modified kernel, and returns the drawing of its last checkpoint. */
async function bootSpoilt(): Promise<CaseDrawing> {
  const folder = tmpdir();
  try {
    const image = join(folder, 'Image');
    fs.writeFileSync(image, withoutFunction(await loadKernel(spec), spoilt));
    const run = join(folder, 'run');
    const env = { ...process.env, PTDIFF_STORE: join(folder, 'store.sqlite') };
    // Exit code 1: findings, as intended.
    const words = ['--kernel', `file:${image}`, '--scenario', scenario, '--out', run];
    const { exitCode, stderr } = await $({ cwd: root, env, nothrow: true })`./ptdiff run ${words}`;
    if (exitCode !== 1) throw new Error(`${scenario} ended with ${exitCode}: ${stderr}`);
    const [result] = readCaseLines(run);
    const { drawings } = readDossier(run, present(result, 'case of the run').case);
    return present(drawings.at(-1), 'drawing of the case');
  } finally {
    fs.rmSync(folder, { recursive: true, force: true });
  }
}

/**
 * The rules of the page's style that paint a map; the other parts of this picture have other sizes.
 */
const mapStyle = style
  .split('\n')
  .filter((line) => /^(:root|--|@media \(prefers-color-scheme|svg path|path)/.test(line))
  .join('\n');

/** A picture from the page at its position in this one. */
function placed(picture: Markup, y: number): { markup: Markup; height: number } {
  const height = Number(present(/viewBox="0 \S+ \d+ (\d+)"/.exec(picture.text)?.[1], 'height'));
  const opening = `<svg overflow="visible" x="0" y="${y}" width="${width}" height="${height}"`;
  return { markup: new Svg(picture.text.replace('<svg class="map"', opening)), height };
}

/** The meaning of colours and stripes, for the kinds that the picture shows. */
function legendAt({ predicted, actual, registers }: CaseDrawing, y: number): Markup {
  const { granule } = stage1Regime(registers, 'ttbr1');
  const shown = new Set([...predicted, ...actual].map((run) => leafKind(run)));
  const kinds = leafKinds.filter((kind) => shown.has(kind));
  const entries = [
    ...kinds.map((kind) => ({ looks: [kind], text: kindLabel(granule, kind) })),
    { looks: ['pmd', 'ro'], text: 'read-only' },
    { looks: ['pmd', 'invalid'], text: 'not valid' },
  ];
  const step = (width - 72) / entries.length;
  const items = entries.map(({ looks, text }, index) => {
    const paths = looks.map(
      (look) => html`<path class="${look}" d="${outline(look, [{ from: 0, to: 34 }])}"/>`,
    );
    const x = Math.round(72 + index * step);
    return html`<g transform="translate(${x} ${y})">${paths}</g><text class="say" x="${x + 42}" y="${y + bandHeight / 2 + 5}">${text}</text>`;
  });
  return html`${items}`;
}

/** The picture: the whole map, the enlarged views that differ, and the legend. */
function draw(drawing: CaseDrawing): string {
  const scale = measure(drawing);
  const store = createBandStore();
  const regime = stage1Regime(drawing.registers, 'ttbr1');
  const bands: MapBands = {
    predicted: store.leaves(drawing.predicted, scale, regime),
    actual: store.leaves(drawing.actual, scale, regime),
    labels: { upper: 'predicted', lower: 'actual' },
  };
  const windows = zoomWindows(drawing.predicted, scale).filter(({ differs }) => differs);
  const parts: Markup[] = [];
  let y = 40;
  const add = (picture: Markup): void => {
    const { markup, height } = placed(picture, y);
    parts.push(markup);
    y += height + 14;
  };
  const say = (text: string, name: string): void => {
    parts.push(html`<text class="${name}" x="0" y="${y}">${text}</text>`);
    y += 10;
  };
  const differing = scale.differences.reduce((sum, { from, to }) => sum + (to - from) * unit, 0);
  add(overview(bands, scale, `Linear map at ${drawing.checkpoint}`, windows));
  for (const [index, window] of windows.entries()) {
    const from = formatPhysical(scale.base + window.from * unit);
    const size = formatBytes((window.to - window.from) * unit);
    y += 14;
    const what = window.title.replace(/^differences: /, '');
    say(`${windowLetters[index]}, enlarged: ${size} from ${from}, ${what}`, 'say differs');
    add(zoomed(bands, scale, window, window.title));
  }
  const title = `Linear map at ${drawing.checkpoint}, by physical address in GiB: ${formatBytes(differing)} differ`;
  const height = y + bandHeight + 14;
  return html`<svg xmlns="http://www.w3.org/2000/svg" viewBox="${-edge} 0 ${width + edge} ${height}" width="${width + edge}" height="${height}" role="img" font-family="system-ui,-apple-system,Segoe UI,Roboto,Liberation Sans,sans-serif"><title>${title}</title>
<style>${new Svg(mapStyle)}
text{font-size:14px;fill:var(--soft);text-anchor:middle}text.band{text-anchor:end;fill:var(--fg)}text.hole{font-size:12px}
text.say{text-anchor:start;fill:var(--fg)}text.head{text-anchor:start;fill:var(--fg);font-size:18px;font-weight:600}text.differs{fill:var(--mark);font-weight:600}</style>
<rect x="${-edge}" width="100%" height="100%" fill="var(--panel)"/>
<text class="head" x="0" y="26">${title}</text>
${store.definitions()}
${parts}
${legendAt(drawing, y)}
</svg>
`.text;
}

const path = join('docs', 'map.svg');
const text = draw(await bootSpoilt());
fs.writeFileSync(join(root, path), text);
echo(`${path}: ${text.length} bytes`);
await tellChanges(path);
