// SPDX-License-Identifier: GPL-2.0-only
/** What a bisection looks for in a case: a finding by its id, or a kind of verdict. */
export type Sign = { finding: string } | { verdict: SignVerdict };

/**
 * `fail`: the boot completed with a new finding. `died`: the boot did not complete (verdicts hang
 * and crash).
 */
export const signVerdicts = ['fail', 'died'] as const;
export type SignVerdict = (typeof signVerdicts)[number];

/**
 * The outcome of one attempt at a candidate. `present` and `absent` refer to the sign; an
 * `unusable` boot (another hang or crash, an error of the harness) says nothing about it; an
 * `unavailable` kernel has left the archive or does not build, and is not tried again.
 */
export const outcomes = ['present', 'absent', 'unusable', 'unavailable'] as const;
export type Outcome = (typeof outcomes)[number];

/**
 * Why a boot was made: to check that the ends are as claimed, to halve the suspects, or to prove
 * the answer.
 */
export const stages = ['ends', 'search', 'proof'] as const;
export type Stage = (typeof stages)[number];

/** One attempt at one candidate: a kernel, identified by its Debian version or its commit. */
export interface Trial {
  candidate: string;
  stage: Stage;
  outcome: Outcome;
  /** Why the outcome is neither present nor absent, in one sentence. */
  reason?: string;
}

/** What all trials of a candidate say together; undefined while more are needed. */
export type Answer = 'present' | 'absent' | 'skip';

/**
 * Answers in the order in which the candidates were settled; if an answer changed, the latest one
 * counts.
 */
export type Answers = ReadonlyMap<string, Answer>;

/** The question of a bisection. */
export interface Task {
  /** Ends of the range; the sign is on exactly one side of the turning point. */
  old: string;
  new: string;
  /** `new`: find where the sign appeared; `old`: find where it vanished. */
  signSide: 'old' | 'new';
  /**
   * Number of boots without the sign that declare a candidate free of it, 1 or more; a flaky sign
   * raises it.
   */
  repeat: number;
}

/**
 * What is left of the range, as git bisect reports it for a history and narrowLine() for a list.
 */
export type Narrowed =
  /** `suspects`: candidates, this one included, that may be the first on the new side. */
  | { kind: 'test'; candidate: string; suspects: number }
  /** The first on the new side, and its direct predecessors (parents of a commit). */
  | { kind: 'found'; candidate: string; before: string[] }
  /**
   * Only candidates that could not be tested are left between the sides: the first on the new side
   * is one of these.
   */
  | { kind: 'unclear'; candidates: string[] };

/** What the boots of one candidate showed. */
export interface Tally {
  present: number;
  absent: number;
  /** Attempts of either kind that say nothing about the sign. */
  unusable: number;
  /** Whether the kernel is not available at all. */
  unavailable: boolean;
  reason?: string;
}

/** A predecessor or the answer itself, as seen by the proof. */
export interface Witness {
  candidate: string;
  /** What it must be for the answer to hold. */
  expected: 'present' | 'absent';
  tally: Tally;
  holds: boolean;
}

export type Conclusion =
  | {
      kind: 'found';
      candidate: string;
      witnesses: Witness[];
      /** Whether every witness holds. */
      proven: boolean;
      /**
       * Probability that no witness without the sign has it after all; absent where one could not
       * be tested.
       */
      confidence?: number;
    }
  | { kind: 'unclear'; candidates: string[] }
  | {
      kind: 'wrong-end';
      end: 'old' | 'new';
      candidate: string;
      expected: 'present' | 'absent';
      tally: Tally;
    };
