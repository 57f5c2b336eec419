// SPDX-License-Identifier: GPL-2.0-only
import { InvalidArgumentError } from 'commander';
import { cacheRoot } from '../../host/cache.ts';
import { withUnusedCache } from '../../host/cache-in-use.ts';
import { placeOf } from '../../host/records.ts';
import { say } from '../../host/say.ts';
import {
  type CacheItem,
  listCache,
  removeItems,
  unusedSince,
  verifyCache,
} from '../../images/cache-contents.ts';
import { countText } from '../diff/text.ts';
import { formatMebibytes } from '../report/units.ts';
import { exitCodes } from './exit-codes.ts';
import { table } from './list.ts';
import type { Verb } from './verb.ts';

const day = 86_400_000;

function daysOf(value: string): number {
  const days = Number(value);
  if (value.trim() === '' || !(days >= 0 && days < 1e5))
    throw new InvalidArgumentError('It must be a number of days.');
  return days;
}

const size = (bytes: number): string => `${formatMebibytes(bytes)} MiB`;
const total = (items: readonly CacheItem[]): number =>
  items.reduce((sum, { bytes }) => sum + bytes, 0);

/** Kind, size, last use, and path of each item; many small items of one kind share a line. */
function printItems(items: readonly CacheItem[]): void {
  const row = (kind: string, bytes: number, used: number, place: string) => [
    kind,
    size(bytes),
    new Date(used).toISOString().slice(0, 10),
    place,
  ];
  const facts = items.filter(({ kind }) => kind === 'facts');
  const rows = items
    .filter(({ kind }) => kind !== 'facts')
    .map(({ kind, bytes, used, path, about }) =>
      row(kind, bytes, used, [placeOf(path), about].filter(Boolean).join('  ')),
    );
  if (facts.length > 0) {
    const newest = Math.max(...facts.map(({ used }) => used));
    rows.push(row('facts', total(facts), newest, `facts of ${countText(facts.length, 'boot')}`));
  }
  const lines = table([['kind', 'size', 'used', 'what'], ...rows]);
  process.stdout.write(lines.map((line) => `${line}\n`).join(''));
}

async function list(): Promise<number> {
  const items = await listCache();
  printItems(items);
  process.stdout.write(`${size(total(items))} in ${cacheRoot()}\n`);
  return exitCodes.pass;
}

async function verify(): Promise<number> {
  const { checked, damaged, unknown } = await verifyCache();
  for (const line of damaged) process.stdout.write(`${line}\n`);
  for (const place of unknown)
    process.stdout.write(`${place} is from an older ptdiff, which kept no hashes\n`);
  const rest =
    damaged.length === 0
      ? 'all are whole'
      : `${damaged.length} are damaged, and made again at their next use`;
  process.stdout.write(`${countText(checked, 'file')} checked: ${rest}\n`);
  return damaged.length === 0 ? exitCodes.pass : exitCodes.findings;
}

async function prune({
  olderThan,
  dryRun,
}: {
  olderThan: number;
  dryRun?: boolean;
}): Promise<number> {
  const find = () => unusedSince(Date.now() - olderThan * day);
  const work = async () => {
    const items = await find();
    if (!dryRun) await removeItems(items);
    return items;
  };
  const items = await (dryRun ? work() : withUnusedCache(work));
  if (items.length > 0) printItems(items);
  say(`${size(total(items))} ${dryRun ? 'would be' : 'were'} removed from ${cacheRoot()}`);
  return exitCodes.pass;
}

export const addCache: Verb = (cache, { finish }) => {
  cache
    .command('ls')
    .description('what the cache contains, by kind, with size and time of last use')
    .action(async () => finish(await list()));
  cache
    .command('verify')
    .description(
      'hash everything; exit code 1 if something is damaged (it is made again at its next use)',
    )
    .action(async () => finish(await verify()));
  cache
    .command('prune')
    .description(
      'remove what has not been used for some time; never while another ptdiff uses the cache',
    )
    .option('--older-than <days>', 'not used for this many days', daysOf, 30)
    .option('--dry-run', 'only print what would be removed')
    .action(async (options) => finish(await prune(options)));
};
