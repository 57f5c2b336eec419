// SPDX-License-Identifier: GPL-2.0-only
import { Option } from 'commander';
import { readEvidence } from '../../results/evidence-files.ts';
import { describeDescriptor } from '../diff/describe-descriptor.ts';
import { hex } from '../diff/text.ts';
import { bootCheckpoints, type CheckpointName, type Recording } from '../evidence/capture.ts';
import { between, formatLife, formatTimeline, timelineOf } from '../report/timeline.ts';
import { stableJson } from '../stable-json.ts';
import { join } from '../vmsa/descriptor-layout.ts';
import { stage1Regime } from '../vmsa/regime.ts';
import { outOption } from './locate-case.ts';
import { locateRecording } from './locate-recording.ts';
import { addressOf, type Verb } from './verb.ts';

interface TimelineOptions {
  out?: string;
  from?: CheckpointName;
  to?: CheckpointName;
  at?: bigint;
  full?: boolean;
  json?: boolean;
}

/** Rows of each interval without --full. */
const fewRows = 12;

/** `ptdiff timeline CASE`. */
async function timeline(given: string, options: TimelineOptions): Promise<number> {
  const { recording, directory } = await locateRecording(given, options.out);
  process.stdout.write(
    options.at === undefined
      ? formatAll(recording, options)
      : lifeOf(recording, directory, options.at),
  );
  return 0;
}

function formatAll(recording: Recording, { from, to, full, json }: TimelineOptions): string {
  const all = timelineOf(recording);
  const intervals =
    from === undefined && to === undefined
      ? all
      : [between(all, from ?? 'the start', to ?? 'the end')];
  if (json) return `${stableJson(intervals, 1)}\n`;
  return formatTimeline(intervals, full ? Number.POSITIVE_INFINITY : fewRows);
}

function lifeOf(recording: Recording, directory: string, address: bigint): string {
  const registers = readEvidence(directory).captures.at(-1)?.cpus[0]?.registers;
  const half = address >> 63n > 0n ? 'ttbr1' : 'ttbr0';
  const regime = registers && stage1Regime(registers, half);
  return formatLife(recording, address, (level, low, high) =>
    regime === undefined ? hex(join(low, high)) : describeDescriptor(regime, level, low, high),
  );
}

export const addTimeline: Verb = (command, { finish }) => {
  command
    .argument('<case>', 'its name in the newest run, or its folder')
    .option(...outOption)
    .addOption(
      new Option('--from <checkpoint>', 'only what happened after it').choices(bootCheckpoints),
    )
    .addOption(
      new Option('--to <checkpoint>', 'only what happened up to it').choices(bootCheckpoints),
    )
    .option('--at <address>', 'every change of what this address translates to', addressOf)
    .option('--full', 'all rows')
    .option('--json', 'print it as JSON')
    .action(async (name, options) => finish(await timeline(name, options)));
};
