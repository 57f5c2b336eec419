// SPDX-License-Identifier: GPL-2.0-only
import type { KnownIssue } from '../../diff/match-known.ts';
import type { FindingLife } from '../../history/finding-life.ts';
import type { FindingText, Look } from '../../history/types.ts';

/** A finding with its complete history. */
export interface SiteFinding {
  life: FindingLife;
  text: FindingText;
}

/** Everything that the site is made from. */
export interface SiteData {
  /** In order of time. */
  looks: Look[];
  findings: SiteFinding[];
  knownIssues: readonly KnownIssue[];
}

/** File names with which pages refer to each other. */
export interface SiteFiles {
  finding: ReadonlyMap<string, string>;
  series: ReadonlyMap<string, string>;
}
