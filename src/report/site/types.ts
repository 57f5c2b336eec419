// SPDX-License-Identifier: GPL-2.0-only
import type { KnownIssue } from '../../diff/match-known.ts';
import type { FindingLife } from '../../history/finding-life.ts';
import type { FindingText, Look } from '../../history/types.ts';

/** A finding with its whole life. */
export interface SiteFinding {
  life: FindingLife;
  text: FindingText;
}

/** All that the site is made of. */
export interface SiteData {
  /** In the order of time. */
  looks: Look[];
  findings: SiteFinding[];
  knownIssues: readonly KnownIssue[];
}

/** Where the pages refer to each other. */
export interface SiteFiles {
  finding: ReadonlyMap<string, string>;
  series: ReadonlyMap<string, string>;
}
