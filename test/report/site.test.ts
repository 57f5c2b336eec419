// SPDX-License-Identifier: GPL-2.0-only
import { type DefaultTreeAdapterTypes, parse } from 'parse5';
import t from 'tap';
import { sampleSite } from './sample-site.ts';

type Node = DefaultTreeAdapterTypes.ChildNode | DefaultTreeAdapterTypes.Document;
type Element = DefaultTreeAdapterTypes.Element;

function elementsOf(page: string, errors: string[]): Element[] {
  const document = parse(page, {
    onParseError: ({ code, startLine }) => errors.push(`${code} at ${startLine}`),
  });
  const elements: Element[] = [];
  const visit = (node: Node) => {
    if ('tagName' in node) elements.push(node);
    if ('childNodes' in node) node.childNodes.forEach(visit);
  };
  visit(document);
  return elements;
}

const attribute = (element: Element, name: string) =>
  element.attrs.find((candidate) => candidate.name === name)?.value;

t.test(
  'every page is well-formed, and every link leads to a page or a place of the site',
  async (t) => {
    const site = sampleSite();
    t.ok(site.size > 4);
    const ids = new Map<string, string[]>();
    const links: [from: string, to: string][] = [];
    for (const [name, page] of site) {
      const errors: string[] = [];
      const elements = elementsOf(page, errors);
      t.same(errors, [], name);
      ids.set(
        name,
        elements.flatMap((element) => attribute(element, 'id') ?? []),
      );
      links.push(
        ...elements
          .flatMap((element) => attribute(element, 'href') ?? [])
          .map((href): [string, string] => [name, href]),
      );
      t.same(
        elements.filter(({ tagName }) => ['script', 'link', 'img', 'iframe'].includes(tagName)),
        [],
        `${name} loads nothing`,
      );
    }
    t.ok(links.length > 20);
    for (const [from, href] of links) {
      const [file = '', place] = href.split('#');
      const target = decodeURIComponent(file) || from;
      t.ok(site.has(target), `${from} leads to ${href}`);
      if (place !== undefined) t.ok(ids.get(target)?.includes(place), `${from} leads to ${href}`);
    }
  },
);

t.test('hostile text shows as text', async (t) => {
  const errors: string[] = [];
  const pages = [
    ...sampleSite('"><script>document.title="taken"</script>\u001b[31m\u202e').values(),
  ];
  for (const page of pages) {
    t.notMatch(page, '<script>document');
    t.notOk(['\u001b', '\u202e'].some((character) => page.includes(character)));
    elementsOf(page, errors);
  }
  t.same(errors, []);
  t.ok(pages.filter((page) => page.includes('&lt;script&gt;document')).length > 3);
});

t.test('a finding tells where it is there and since when it is gone', async (t) => {
  const site = sampleSite();
  const page =
    [...site].find(([name]) => name.startsWith('finding-invariant,rule,broken'))?.[1] ?? '';
  t.match(page, /7\.0 arm64<\/a> <span class="badge gone">gone<\/span> <small>since 7\.0\.13/);
  t.match(page, /7\.3 arm64<\/a> <span class="badge there">there/);
  t.match(page, /flaky/);
  t.match(site.get('index.html'), /1 new finding, 0 known issues \(0 findings\) there; 1 gone/);
});
