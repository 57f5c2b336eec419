// SPDX-License-Identifier: GPL-2.0-only
/**
 * The part of the page's script for what a recording tells: the two instants between which changes
 * are summed up. It reads numbers that changes-figure.ts wrote into attributes.
 */
export const changesScript = `
const marksOf = (spans, regions, least) => {
  const placed = [];
  for (const [start, end, x, width] of regions) {
    const pixels = width / (end - start);
    for (const [from, to] of spans) {
      if (from >= end || to <= start) continue;
      const left = x + (Math.max(from, start) - start) * pixels;
      placed.push([left, Math.max(x + (Math.min(to, end) - start) * pixels, left + least)]);
    }
  }
  placed.sort((one, other) => one[0] - other[0]);
  const merged = [];
  for (const [from, to] of placed) {
    const last = merged[merged.length - 1];
    if (last && from - last[1] <= 1) last[1] = Math.max(last[1], to);
    else merged.push([from, to]);
  }
  return merged.map(([from, to]) => 'M' + from.toFixed(1) + ' 6h' + (to - from).toFixed(1)).join('');
};
function addInstants(box) {
  const numbers = (text) => text.split(';').map((part) => part.split(' ').map(Number));
  const regions = numbers(box.dataset.regions);
  const instants = [[0, 'the start'], ...box.dataset.instants.split(';').map((part) => part.split(' '))];
  const rows = [...box.querySelectorAll('tr[data-deeds]')].map((row) => ({
    row,
    cells: row.querySelectorAll('.num'),
    deeds: row.dataset.deeds.split(';').map((text) => {
      const [slice, ...rest] = text.split(' ');
      return { slice: Number(slice), counts: rest.slice(0, 6).map(Number), spans: rest.slice(6).map((span) => span.split('-').map(Number)) };
    }),
  }));
  const end = instants.length - 1;
  const name = ([time, checkpoint]) => (time / 1e6).toFixed(2) + ' s' + (checkpoint ? ' (' + checkpoint + ')' : '');
  const controls = document.createElement('div');
  controls.className = 'lens instants';
  box.querySelector('figure').before(controls);
  const from = input(controls, 'from', end, 0), to = input(controls, 'to', end, end);
  from.step = to.step = 1;
  for (const range of [from, to]) range.setAttribute('aria-label', range === from ? 'First instant' : 'Last instant');
  const choices = controls.appendChild(document.createElement('p'));
  const draw = () => {
    const [first, last] = [Number(from.value), Number(to.value)];
    box.querySelector('.when').textContent = first === 0 && last === end ? 'The whole boot' : 'From ' + name(instants[first]) + ' to ' + name(instants[last]);
    for (const range of [from, to]) range.setAttribute('aria-valuetext', name(instants[range.value]));
    const all = [];
    for (const each of rows) {
      const deeds = each.deeds.filter(({ slice }) => slice >= first && slice < last);
      const counts = deeds.reduce((sums, deed) => sums.map((sum, kind) => sum + deed.counts[kind]), [0, 0, 0, 0, 0, 0]);
      const spans = deeds.flatMap((deed) => deed.spans);
      each.weight = counts.reduce((sum, count) => sum + count, 0);
      each.row.hidden = each.weight === 0;
      counts.forEach((count, kind) => { each.cells[kind].textContent = count ? count.toLocaleString('en-US') : ''; });
      each.row.querySelector('path.mark')?.setAttribute('d', marksOf(spans, regions, 8));
      all.push(...spans);
    }
    box.querySelector('figure path.mark').setAttribute('d', marksOf(all, regions, 2));
    for (const { row } of rows.sort((one, other) => other.weight - one.weight)) row.parentNode.append(row);
  };
  from.addEventListener('input', () => { if (Number(from.value) >= Number(to.value)) to.value = Math.min(end, Number(from.value) + 1), from.value = Number(to.value) - 1; draw(); });
  to.addEventListener('input', () => { if (Number(to.value) <= Number(from.value)) from.value = Math.max(0, Number(to.value) - 1), to.value = Number(from.value) + 1; draw(); });
  let begin = 0;
  const choice = (text, first, last) => {
    const button = choices.appendChild(document.createElement('button'));
    Object.assign(button, { type: 'button', textContent: text });
    button.addEventListener('click', () => { from.value = first; to.value = last; draw(); });
  };
  choice('whole boot', 0, end);
  instants.forEach(([, checkpoint], index) => {
    if (index === 0 || !checkpoint) return;
    choice('up to ' + checkpoint, begin, index);
    begin = index;
  });
}
const told = new WeakSet();
function showChanges(root) {
  for (const box of root.querySelectorAll('.changes')) {
    if (told.has(box) || !box.checkVisibility?.()) continue;
    told.add(box);
    addInstants(box);
  }
}
addEventListener('toggle', (event) => { if (event.target.open) showChanges(event.target); }, true);
showChanges(document);
`;
