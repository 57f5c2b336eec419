// SPDX-License-Identifier: GPL-2.0-only
import { type DefaultTreeAdapterTypes, parse } from 'parse5';

type Node = DefaultTreeAdapterTypes.ChildNode | DefaultTreeAdapterTypes.Document;
type Element = DefaultTreeAdapterTypes.Element;

/** Parses a page as a browser does, with everything that is not well-formed. */
export function parseStrictly(page: string): { elements: Element[]; errors: string[] } {
  const errors: string[] = [];
  const document = parse(page, {
    onParseError: (error) => errors.push(`${error.code} at ${error.startLine}:${error.startCol}`),
    sourceCodeLocationInfo: true,
  });
  const elements: Element[] = [];
  const visit = (node: Node) => {
    if ('tagName' in node) elements.push(node);
    if ('childNodes' in node) node.childNodes.forEach(visit);
  };
  visit(document);
  return { elements, errors };
}

/** An attribute's value. */
export const attribute = (element: Element, name: string) =>
  element.attrs.find((candidate) => candidate.name === name)?.value;

/** The text inside a node. */
export function textOf(node: Node): string {
  if ('value' in node) return node.value;
  return 'childNodes' in node ? node.childNodes.map(textOf).join('') : '';
}
