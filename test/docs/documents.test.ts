// SPDX-License-Identifier: GPL-2.0-only
import { existsSync, globSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { SaxesParser } from 'saxes';
import t from 'tap';
import { parse } from 'yaml';
import { parseKernelSpec } from '../../images/kernel-spec.ts';
import { builtInScenarios } from '../../src/scenario/built-in.ts';
import { parseScenarios } from '../../src/scenario/schema.ts';
import { ptdiffHere } from '../cli/in-process.ts';
import { given, take } from '../given.ts';

const root = join(import.meta.dirname, '..', '..');
const documents = ['README.md', 'CONTRIBUTING.md', ...globSync('docs/**/*.md', { cwd: root })];
const textOf = (document: string): string => readFileSync(join(root, document), 'utf8');

/**
 * The commands of a document: what stands in code spans and blocks and begins with ./ptdiff,
 * without prompt and comment.
 */
function commandsOf(text: string): string[][] {
  const code = [...text.matchAll(/```\w*\n([\s\S]*?)```|`([^`]+)`/g)].map(
    ([, block, span]) => block ?? span ?? '',
  );
  return code
    .flatMap((part) =>
      part.startsWith('./ptdiff') ? [part.replaceAll(/\\?\n/g, ' ')] : joined(part),
    )
    .map((line) => line.replace(/^\$ /, '').replace(/ +#.*/, ''))
    .filter((line) => line.startsWith('./ptdiff '))
    .map((line) => line.split(/\s+/).slice(1).filter(Boolean));
}

const joined = (block: string): string[] => block.replaceAll(/\\\n\s*/g, '').split('\n');

const helps = new Map<string, string>();
/** Verbs with verbs below them, whose options are told by those. */
const families = ['cache', 'farm', 'repro'];
async function helpOf(words: string[]): Promise<string> {
  const verb = given(words[0]);
  const asked = families.includes(verb) ? words.slice(0, 2) : [verb];
  const key = asked.join(' ');
  const help = helps.get(key) ?? (await ptdiffHere(...asked, '--help')).stdout;
  helps.set(key, help);
  return help;
}

const { scripts } = JSON.parse(textOf('package.json')) as { scripts: Record<string, string> };

/** The values that follow an option in a command. */
const valuesOf = (words: string[], option: string): string[] =>
  words.flatMap((word, index) => (word === option ? [given(words[index + 1])] : []));

for (const document of documents) {
  t.test(`${document}: links lead somewhere`, async (t) => {
    const links = [...textOf(document).matchAll(/\]\((?!https?:)([^)#]+)/g)].map(([, link]) =>
      given(link),
    );
    for (const link of links) t.ok(existsSync(join(root, dirname(document), link)), link);
  });

  t.test(`${document}: what npm is to run is there`, async (t) => {
    for (const [, script = ''] of textOf(document).matchAll(/npm run ([\w:]+)/g))
      t.ok(script in scripts, script);
  });

  t.test(
    `${document}: verbs, options, kernels and scenarios of its commands are real`,
    async (t) => {
      for (const words of commandsOf(textOf(document))) {
        const verb = given(words[0]);
        if (!/^[a-z]/.test(verb)) continue;
        const help = await helpOf(words);
        for (const option of words.filter((word) => word.startsWith('--'))) {
          t.match(help, new RegExp(`^ +(-., )?${option}\\b`, 'm'), `${words.join(' ')}: ${option}`);
        }
        for (const name of valuesOf(words, '--scenario')) {
          const known = [
            'NAME',
            'telling',
            'all',
            'my-scenario.yaml',
            ...builtInScenarios.map((one) => one.name),
          ];
          t.ok(known.includes(name), `${words.join(' ')}: ${name}`);
        }
        for (const spec of valuesOf(words, '--kernel'))
          t.doesNotThrow(() => parseKernelSpec(spec), spec);
      }
    },
  );
}

t.test(
  'docs/scenarios.md: the scenario that it shows is one, with what is commented out, too',
  async (t) => {
    const [, yaml] = take(
      textOf('docs/scenarios.md').match(/```yaml\n([\s\S]*?)```/) as RegExpMatchArray,
      2,
    );
    const minimal = { name: 'my-scenario', machine: { cpu: 'max' } };
    t.same(
      parseScenarios(parse(yaml), 'docs'),
      parseScenarios(minimal, 'docs'),
      'the values shown are the defaults',
    );
    const all = yaml
      .replaceAll(/^( *)# (\w+:.*?)( {2,}.*)?$/gm, '$1$2')
      .replace('cpus: 1 ', 'cpus: 2 ');
    t.match(parseScenarios(parse(all), 'docs'), [
      { machine: { firmware: 'monitor', late: true, its: false } },
    ]);
  },
);

t.test('README: its pictures are SVG that needs nothing else, and are told in words', async (t) => {
  const pictures = [...textOf('README.md').matchAll(/!\[([^\]]*)\]\(([^)]+)\)/g)];
  t.ok(pictures.length > 0);
  for (const [, words = '', path = ''] of pictures) {
    t.ok(words.length > 40, `${path} has alternative text`);
    const svg = textOf(path);
    const parser = new SaxesParser();
    const broken: string[] = [];
    parser.on('error', (error) => void broken.push(error.message));
    parser.write(svg).close();
    t.same(broken, []);
    const defined = new Set([...svg.matchAll(/(--\w+):/g)].map(([, name]) => name));
    const used = new Set([...svg.matchAll(/var\((--\w+)\)/g)].map(([, name]) => name));
    t.same(
      [...used].filter((name) => !defined.has(name)),
      [],
      'its colours are its own',
    );
    t.notMatch(svg, /(?:href|src)="(?!#)/, 'it loads nothing');
  }
});
