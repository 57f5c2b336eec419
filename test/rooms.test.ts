// SPDX-License-Identifier: GPL-2.0-only
import { readFileSync } from 'node:fs';
import { dirname, join, normalize } from 'node:path';
import { execa } from 'execa';
import t from 'tap';

/**
 * The rooms of docs/architecture.md from the ground up; what lies in src/ itself is below all of
 * them.
 */
const rooms = [
  'src',
  'src/vmsa',
  'src/linux',
  'src/scenario',
  'src/evidence',
  'src/model',
  'src/bbm',
  'src/diff',
  'src/compare',
  'src/bisect',
  'src/history',
  'src/nightly',
  'src/report',
  'host',
  'images',
  'guest',
  'results',
  'harness',
  'src/cli',
  'bench',
  'test',
  'tools',
];

function roomOf(file: string): string {
  const [top = '', next = '', ...rest] = file.split('/');
  if (top !== 'src') return top;
  return rest.length === 0 ? top : `${top}/${next}`;
}

const { stdout } = await execa('git', ['ls-files', '-co', '--exclude-standard', '*.ts'], {
  cwd: join(import.meta.dirname, '..'),
});
const imports = new Map(
  stdout.split('\n').map((file) => {
    const source = readFileSync(join(import.meta.dirname, '..', file), 'utf8');
    const names = [...source.matchAll(/(?:from|import)\s*\(?\s*'(\.[^']+)'/g)].map(
      ([, name = '']) => name,
    );
    return [file, names.map((name) => normalize(join(dirname(file), name)))];
  }),
);
const edges = [...imports].flatMap(([file, targets]) =>
  targets.map((target) => [file, target] as const),
);

t.test('every file lies in a room, and each imports from rooms below it only', async (t) => {
  t.same(new Set([...imports.keys()].map(roomOf)), new Set(rooms));
  const upward = edges.filter(
    ([file, target]) => rooms.indexOf(roomOf(target)) > rooms.indexOf(roomOf(file)),
  );
  t.same(
    upward.map((edge) => edge.join(' imports ')),
    [],
  );
  t.ok(edges.length > 2000, `${edges.length} imports were looked at`);
});

t.test('docs/architecture.md tells of each room, in this order', async (t) => {
  const document = join(import.meta.dirname, '..', 'docs', 'architecture.md');
  const told = [...readFileSync(document, 'utf8').matchAll(/^\| `([a-z/]+)` +\|/gm)];
  t.same(
    told.map(([, room]) => room),
    rooms,
  );
});

t.test('what is in src/ but for src/cli/ is pure: no process, no socket, no file', async (t) => {
  const impure =
    /from 'node:(?!zlib)|from 'execa'|from 'tmp-promise'|\bprocess\.(stdout|stderr|env|cwd|exit|on|pid|argv)\b/;
  const pure = [...imports.keys()].filter(
    (file) => file.startsWith('src/') && !file.startsWith('src/cli/'),
  );
  t.same(
    pure.filter((file) => impure.test(readFileSync(join(import.meta.dirname, '..', file), 'utf8'))),
    [],
  );
});

t.test('no file imports itself by way of others', async (t) => {
  const done = new Set<string>();
  const circles: string[] = [];
  const visit = (file: string, way: readonly string[]): void => {
    if (way.includes(file)) circles.push([...way.slice(way.indexOf(file)), file].join(' → '));
    if (done.has(file)) return;
    done.add(file);
    for (const target of imports.get(file) ?? []) visit(target, [...way, file]);
  };
  for (const file of imports.keys()) visit(file, []);
  t.same(circles, []);
});
