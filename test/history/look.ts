// SPDX-License-Identifier: GPL-2.0-only
import type { Look } from '../../src/history/types.ts';
import { type Course, judged } from '../diff/judged.ts';

/** What a test says of a look; everything else is the same in all of them. */
interface LookParts extends Omit<Course, 'knownIssues'> {
  release: string;
  /** Day of November 2026. */
  day: number;
  scenario?: string;
  /** Beside what judge() finds of the course of the boot. */
  findings?: string[];
  hash?: string;
  ptdiff?: string;
  emulator?: string;
  flavour?: string;
  /** Hash of the Image, where it does not follow from release and flavour. */
  sha256?: string;
  seconds?: number;
  linearMap?: Look['linearMap'];
}

const courses = new Map<string, Pick<Look, 'verdict' | 'findings' | 'linearMap'>>();

/** Ends of boots are judged, never made up: a test that names them by itself proves nothing. */
function courseOf({ end, after }: LookParts): Pick<Look, 'verdict' | 'findings' | 'linearMap'> {
  const key = `${end} ${after}`;
  const { verdict, findings, linearMap } =
    courses.get(key) ?? judged({ ...(end && { end }), ...(after && { after }) });
  courses.set(key, { verdict, findings, linearMap });
  return { verdict, findings: findings.map(({ id }) => ({ id })), linearMap };
}

/** A look of a history made up for a test. */
export function look(parts: LookParts): Look {
  const {
    release,
    day,
    scenario = 'max',
    findings = [],
    flavour = 'arm64',
    ptdiff = 'p1',
    emulator = 'e1',
  } = parts;
  const course = courseOf(parts);
  return {
    run: {
      id: `run${day}`,
      started: `2026-11-${String(day).padStart(2, '0')}T01:00:00.000Z`,
      folder: `/runs/${day}`,
      ptdiff,
      emulator: { version: '11.1.3', sha256: emulator },
    },
    case: `${release}@${scenario}`,
    kernel: {
      spec: `debian:${release}`,
      release,
      flavour,
      sha256: parts.sha256 ?? `${release} ${flavour}`,
      generation: 'g',
    },
    scenario: { name: scenario, hash: parts.hash ?? `hash of ${scenario}` },
    verdict: course.verdict === 'pass' && findings.length > 0 ? 'fail' : course.verdict,
    seconds: parts.seconds ?? 3,
    findings: [...findings.map((id) => ({ id })), ...course.findings],
    linearMap: parts.linearMap ?? course.linearMap,
  };
}
