// SPDX-License-Identifier: GPL-2.0-only
import { changesScript } from './changes-script.ts';

/**
 * The page's only script: a lens under each map for free zoom, the instants of a recording, and opening the section that a link
 * points into (for browsers that do not do this themselves). It reads numbers and ids from
 * attributes that the report wrote, and builds nodes, never markup from text.
 */
export const script = `
'use strict';
const NS = 'http://www.w3.org/2000/svg';
const UNIT = 4096, LEFT = 72, WIDTH = 914;
const node = (name, attributes, parent) => {
  const made = document.createElementNS(NS, name);
  for (const key in attributes) made.setAttribute(key, attributes[key]);
  return parent.appendChild(made);
};
const input = (parent, text, max, value) => {
  const label = parent.appendChild(document.createElement('label'));
  const range = parent.appendChild(document.createElement('input'));
  label.textContent = text;
  Object.assign(range, { type: 'range', min: 0, max, step: 'any', value });
  range.setAttribute('aria-label', 'Lens ' + text);
  return range;
};
const size = (bytes) => bytes >= 2 ** 30 ? +(bytes / 2 ** 30).toFixed(2) + ' GiB' : bytes >= 2 ** 20 ? +(bytes / 2 ** 20).toFixed(2) + ' MiB' : Math.round(bytes / 1024) + ' KiB';
function addLens(figure) {
  const caption = figure.querySelector('figcaption');
  const spans = figure.dataset.spans.split(' ').map((span) => span.split('-').map(Number));
  const first = spans[0][0], end = spans[spans.length - 1][1], extent = end - first;
  const least = Math.min(extent, 32);
  const box = document.createElement('div');
  box.className = 'lens';
  box.hidden = true;
  caption.after(box);
  const button = caption.appendChild(document.createElement('button'));
  button.type = 'button';
  button.textContent = 'Zoom freely';
  button.setAttribute('aria-expanded', 'false');
  const show = (shown) => {
    box.hidden = !shown;
    button.setAttribute('aria-expanded', String(shown));
  };
  button.addEventListener('click', () => show(box.hidden));
  const place = input(box, 'position', 1, 0);
  const zoom = input(box, 'zoom', 1, 0.5);
  const picture = node('svg', { class: 'map', viewBox: '0 0 1000 60', role: 'img', 'aria-label': 'The part of the map under the lens' }, box);
  const labels = figure.dataset.labels.split(' ');
  const bands = [['predicted', 2], ['actual', 32]].map(([name, y], index) => {
    node('text', { class: 'band', x: LEFT - 8, y: y + 17 }, picture).textContent = labels[index];
    const band = node('svg', { x: LEFT, y, width: WIDTH, height: 26, preserveAspectRatio: 'none' }, picture);
    node('use', { href: '#' + figure.dataset[name] }, band);
    return band;
  });
  const output = box.appendChild(document.createElement('output'));
  const draw = () => {
    const width = extent * (least / extent) ** zoom.value;
    const from = first + (extent - width) * place.value;
    for (const band of bands) band.setAttribute('viewBox', from + ' 0 ' + width + ' 26');
    const address = Number(figure.dataset.base) + Math.floor(from) * UNIT;
    output.textContent = 'from 0x' + address.toString(16) + ', ' + size(width * UNIT) + ' across';
  };
  place.addEventListener('input', draw);
  zoom.addEventListener('input', draw);
  const overview = figure.querySelector('svg.map');
  overview.addEventListener('click', (event) => {
    for (const part of overview.querySelectorAll('svg')) {
      const area = part.getBoundingClientRect();
      if (event.clientX < area.left || event.clientX > area.right) continue;
      const view = part.viewBox.baseVal;
      const at = view.x + view.width * (event.clientX - area.left) / area.width;
      const width = extent * (least / extent) ** zoom.value;
      place.value = extent === width ? 0 : Math.min(1, Math.max(0, (at - width / 2 - first) / (extent - width)));
      show(true);
      draw();
      break;
    }
  });
  overview.style.cursor = 'crosshair';
  draw();
}
const lensed = new WeakSet();
function showFigures(root) {
  for (const figure of root.querySelectorAll('figure[data-spans]')) {
    if (lensed.has(figure) || !figure.checkVisibility?.()) continue;
    lensed.add(figure);
    addLens(figure);
  }
}
addEventListener('toggle', (event) => { if (event.target.open) showFigures(event.target); }, true);
${changesScript}
function reveal() {
  const target = document.getElementById(location.hash.slice(1));
  if (!target) return;
  for (let at = target; at; at = at.parentElement) if (at.tagName === 'DETAILS') at.open = true;
  target.scrollIntoView();
}
addEventListener('hashchange', reveal);
reveal();
`;
