// SPDX-License-Identifier: GPL-2.0-only
import type { Verb } from './verb.ts';

/**
 * One verb as --help lists it. A verb's code is loaded on demand: loading all verbs would take a
 * second.
 */
interface VerbEntry {
  name: string;
  about: string;
  load(): Promise<Verb>;
}

/** The verbs, in the order in which --help shows them. */
export const verbs: readonly VerbEntry[] = [
  {
    name: 'run',
    about: 'predict, boot and compare; without options the default matrix',
    load: async () => (await import('./run.ts')).addRun,
  },
  {
    name: 'judge',
    about: 'judge live machines or crash dumps by what ptdiff collect has left of them',
    load: async () => (await import('./judge.ts')).addJudge,
  },
  {
    name: 'explore',
    about: 'boot machines made at random, and find the smallest that shows what is wrong',
    load: async () => (await import('./explore.ts')).addExplore,
  },
  {
    name: 'compare',
    about: 'what differs between two kernels, between two runs, or along a series of commits',
    load: async () => (await import('./compare.ts')).addCompare,
  },
  {
    name: 'predict',
    about: "the model's answer without a boot, with its derivation",
    load: async () => (await import('./predict.ts')).addPredict,
  },
  {
    name: 'ls',
    about:
      'list the kernels, scenarios, CPUs or configuration fragments, or the rules of the kernel that changed',
    load: async () => (await import('./list.ts')).addList,
  },
  {
    name: 'show',
    about: 'one case: verdict, decisions, findings, derivation',
    load: async () => (await import('./show.ts')).addShow,
  },
  {
    name: 'timeline',
    about: 'what happened to the tables of a recorded case between its checkpoints',
    load: async () => (await import('./timeline.ts')).addTimeline,
  },
  {
    name: 'bbm',
    about: 'where a recorded case changed entries without the break-before-make that they need',
    load: async () => (await import('./bbm.ts')).addBbm,
  },
  {
    name: 'report',
    about: 'write report.html of a run folder again and print its summary',
    load: async () => (await import('./publish-report.ts')).addReport,
  },
  {
    name: 'bisect',
    about: 'find the Debian version or the commit in which a finding appeared or vanished',
    load: async () => (await import('./bisect.ts')).addBisect,
  },
  {
    name: 'test-commit',
    about: 'say whether one kernel has a finding, in the exit codes of git bisect run',
    load: async () => (await import('./test-commit.ts')).addTestCommit,
  },
  {
    name: 'export',
    about: 'a run as KTAP, JUnit XML or KCIDB JSON, or one finding as a mail',
    load: async () => (await import('./export.ts')).addExport,
  },
  {
    name: 'repro',
    about: 'pack a case into one file, and boot it again elsewhere',
    load: async () => (await import('./repro.ts')).addRepro,
  },
  {
    name: 'history',
    about:
      'the history of a finding, or the verdicts of a scenario or case over time, from the results store',
    load: async () => (await import('./history.ts')).addHistory,
  },
  {
    name: 'import',
    about: 'import run folders into the results store; what it already has does not change',
    load: async () => (await import('./import.ts')).addImport,
  },
  {
    name: 'nightly',
    about: 'run what changed and a part of the rest within a time budget, and report what is new',
    load: async () => (await import('./nightly.ts')).addNightly,
  },
  {
    name: 'serve',
    about: 'write the history as web pages that need no network; with --port, also serve them',
    load: async () => (await import('./serve.ts')).addServe,
  },
  {
    name: 'worker',
    about: 'run cases for a farm until Ctrl-C',
    load: async () => (await import('./worker.ts')).addWorker,
  },
  {
    name: 'farm',
    about: 'what a farm of workers does now; an engine for one machine, to try it',
    load: async () => (await import('./farm.ts')).addFarm,
  },
  {
    name: 'collect',
    about: 'the program that reads the page tables of a live arm64 machine, to copy there',
    load: async () => (await import('./collect.ts')).addCollect,
  },
  {
    name: 'walk',
    about: 'walk the page tables of any running QEMU from outside, and print them',
    load: async () => (await import('./walk.ts')).addWalk,
  },
  {
    name: 'cache',
    about: 'the cache of everything that ptdiff fetched and built: list, check, remove',
    load: async () => (await import('./cache.ts')).addCache,
  },
];
