// SPDX-License-Identifier: GPL-2.0-only
import fc from 'fast-check';
import { SaxesParser } from 'saxes';
import t from 'tap';
import { formatJunit } from '../../../src/report/export/junit.ts';
import { given } from '../../given.ts';
import { sampleReport } from '../sample-run.ts';
import { hostileResults } from './hostile-results.ts';

interface XmlNode {
  name: string;
  attributes: Record<string, string>;
  children: XmlNode[];
  text: string;
}

/** A reader that refuses whatever XML 1.0 refuses. */
function parseXml(text: string): XmlNode {
  const root: XmlNode = { name: '', attributes: {}, children: [], text: '' };
  const stack = [root];
  const parser = new SaxesParser();
  parser.on('error', (error) => {
    throw error;
  });
  parser.on('opentag', ({ name, attributes }) => {
    const node: XmlNode = { name, attributes, children: [], text: '' };
    given(stack[stack.length - 1]).children.push(node);
    stack.push(node);
  });
  parser.on('text', (piece) => {
    given(stack[stack.length - 1]).text += piece;
  });
  parser.on('closetag', () => {
    stack.pop();
  });
  parser.write(text).close();
  return given(root.children[0]);
}

/**
 * What an element may hold: attributes, with a '!' those that it must have, and children in their
 * order.
 */
interface Rule {
  attributes: string[];
  children: string[];
  /** Whether it has text of its own. */
  text?: true;
}

/**
 * What both schemas allow: junit-10.xsd of Jenkins' xunit plugin (commit 031e285ef3b6), and for
 * suites surefire-test-report-3.0.xsd of maven-surefire (commit 14e8e1acd97e), which is the
 * stricter one.
 */
const rules: Record<string, Rule> = {
  testsuites: {
    attributes: ['name', 'time', 'tests', 'failures', 'errors'],
    children: ['testsuite'],
  },
  testsuite: {
    attributes: ['name!', 'tests!', 'failures!', 'errors!', 'skipped!', 'time'],
    children: ['properties', 'testcase'],
  },
  properties: { attributes: [], children: ['property'] },
  property: { attributes: ['name!', 'value!'], children: [] },
  testcase: {
    attributes: ['name!', 'classname', 'group', 'time!'],
    children: ['failure', 'skipped', 'error', 'system-out'],
  },
  failure: { attributes: ['type!', 'message'], children: [], text: true },
  error: { attributes: ['type!', 'message'], children: [], text: true },
  skipped: { attributes: ['message'], children: [], text: true },
  'system-out': { attributes: [], children: [], text: true },
};

/** What is wrong with an element and those below it. */
function violations(node: XmlNode): string[] {
  const rule = rules[node.name];
  if (!rule) return [`no element ${node.name}`];
  const given = Object.keys(node.attributes);
  const allowed = rule.attributes.map((name) => name.replace('!', ''));
  const order = node.children.map(({ name }) => rule.children.indexOf(name));
  return [
    ...given.filter((name) => !allowed.includes(name)).map((name) => `${node.name} has ${name}`),
    ...rule.attributes.filter((name) => name.endsWith('!') && !given.includes(name.slice(0, -1))),
    ...order
      .filter((place, index) => place < 0 || place < (order[index - 1] ?? 0))
      .map(() => `order in ${node.name}`),
    ...(node.attributes.time === undefined || /^\d+\.\d{3}$/.test(node.attributes.time)
      ? []
      : ['time']),
    ...(!rule.text && node.text.trim() !== '' ? [`text in ${node.name}`] : []),
    ...node.children.flatMap(violations),
  ];
}

/** The counts of a suite that its test cases do not bear out. */
function miscounts(suite: XmlNode): string[] {
  const cases = suite.children.filter(({ name }) => name === 'testcase');
  const having = (name: string) =>
    cases.filter(({ children }) => children.some((child) => child.name === name)).length;
  const counted = {
    tests: cases.length,
    failures: having('failure'),
    errors: having('error'),
    skipped: having('skipped'),
  };
  return Object.entries(counted)
    .filter(([name, count]) => suite.attributes[name] !== String(count))
    .map(([name, count]) => `${name}=${suite.attributes[name]}, counted ${count}`);
}

const report = sampleReport();

t.test('the sample is valid, counts right and tells every verdict', async (t) => {
  const root = parseXml(formatJunit(report));
  t.same(violations(root), []);
  t.same(root.children.flatMap(miscounts), []);
  const { tests, failures, errors } = root.attributes;
  const { counts } = report.run;
  t.same([tests, failures, errors].map(Number), [
    report.run.planned.length,
    counts.fail + counts.hang + counts.crash,
    counts.error,
  ]);
  const messages = root.children
    .flatMap(({ children }) => children)
    .flatMap(({ children }) => children)
    .map(({ name, attributes }) => `${name} ${attributes.message ?? ''}`);
  t.ok(messages.includes('skipped known issue split-before-caps-final'));
  t.ok(messages.some((message) => /^error The boot ended/.test(message)));
  t.ok(messages.some((message) => /^failure The alias of the kernel text/.test(message)));
});

t.test('the depth of a case is its group, and an early one says where it ended', async (t) => {
  const cases = report.cases.map((result) => ({
    ...result,
    depth: result.scenario === 'max' ? ('early' as const) : ('full' as const),
  }));
  const root = parseXml(formatJunit({ ...report, cases }));
  t.same(violations(root), []);
  let early = 0;
  for (const suite of root.children) {
    const tests = suite.children.filter(({ name }) => name === 'testcase');
    const own = tests.filter(({ attributes }) => attributes.group === 'early');
    early += own.length;
    t.ok(own.every(({ attributes }) => attributes.name === 'max'));
    const counted = given(suite.children[0]).children.map(({ attributes }) => attributes);
    t.ok(
      counted.some(
        (each) => each.name === 'cases of depth early' && each.value === `${own.length}`,
      ),
    );
    for (const { attributes, children } of tests) {
      const said = children.some(({ name, text }) => name === 'system-out' && /early/.test(text));
      t.equal(said, attributes.group === 'early', `${attributes.name}`);
    }
  }
  t.equal(early, cases.filter(({ depth }) => depth === 'early').length);
  t.ok(early > 0);
});

t.test('a kernel is one class, whatever dots its release has', async (t) => {
  const root = parseXml(formatJunit(report));
  const classes = root.children.flatMap(({ children }) =>
    children.flatMap(({ attributes }) => attributes.classname ?? []),
  );
  t.ok(classes.length > 0 && classes.every((name) => /^ptdiff\.[^.]+$/.test(name)));
});

t.test('a case that was not run is skipped', async (t) => {
  const root = parseXml(formatJunit({ ...report, cases: [] }));
  t.same(root.children.flatMap(miscounts), []);
  t.ok(root.children.every(({ attributes }) => attributes.skipped === attributes.tests));
});

t.test('whatever a guest says, the file is valid', async () => {
  fc.assert(
    fc.property(hostileResults, (results) => {
      const root = parseXml(formatJunit(results));
      return violations(root).length === 0 && root.children.flatMap(miscounts).length === 0;
    }),
  );
});
