// SPDX-License-Identifier: GPL-2.0-only
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { boot } from '../../../harness/boot/boot.ts';
import type { CaseSetup } from '../../../harness/boot/case-setup.ts';
import { followRecording } from '../../../src/evidence/follow-recording.ts';
import { recorderList } from '../../../src/linux/recorded-functions.ts';
import type { SymbolTable } from '../../../src/linux/symbol-table.ts';
import { exerciseWord } from '../../../src/scenario/types.ts';
import { given } from '../../given.ts';
import { realSetup } from '../boot-setup.ts';
import { changedRecorder, type RecorderChange } from './changed-recorder.ts';

/** What recorded_frames() of guest-frames.c asks: the innermost functions, up to an exception. */
const recordedFrames = `
unsigned int recorded_frames(unsigned int cpu, uint64_t *pairs)
{
	struct task *task = running(cpu);
	unsigned int count = 0;

	for (unsigned int i = task->depth; i > 0 && task->frames[i - 1].call; i--) {
		pairs[2 * count] = task->frames[i - 1].call->function->number;
		pairs[2 * count++ + 1] = task->frames[i - 1].call->lr;
	}
	return count;
}

/* pgd_free() of mm/pgd.c */`;

/** At each store of a table the recorder calls guest-frames.c, which asks for registers. */
const telling: readonly RecorderChange[] = [
  ['tables.c', '\tevent_at(EV_STORE,', '\tstore_seen(cpu, site->pc);\n\tevent_at(EV_STORE,'],
  ['translate.c', 'stored, CB_NO_REGS, MEM_W', 'stored, CB_R_REGS, MEM_W'],
  ['recorder.h', '/* operations.c */', 'void store_seen(unsigned int cpu, uint64_t pc);\n'],
  ['operations.c', 'static void freeing_root(', `${recordedFrames}\nstatic void freeing_root(`],
];

/** One store: what the recorder takes it to belong to, and what the guest's stack says. */
interface Store {
  /** Functions of the list, innermost first, each with the address that it returns to. */
  recorded: { name: string; returnsTo: bigint }[];
  /** Where the instruction is, and the callers. */
  frames: bigint[];
}

/** A return address without its authentication code: code is in the upper 2^47 bytes. */
const plain = (address: bigint) => address | 0xffff_8000_0000_0000n;

/** @param functions the names of the list, as the kernel has them */
function* storesOf(path: string, functions: readonly string[]): Generator<Store> {
  const bytes = readFileSync(path);
  const words = new BigUint64Array(bytes.buffer, bytes.byteOffset, bytes.length >> 3);
  for (let at = 0; at < words.length; ) {
    const [recorded = 0n, found = 0n, pc = 0n, slide = 0n] = words.subarray(at, at + 4);
    at += 4;
    const pairs = words.subarray(at, at + 2 * Number(recorded));
    at += pairs.length;
    const callers = words.subarray(at, at + Number(found));
    at += callers.length;
    const linked = (address: bigint) => plain(address) - slide;
    yield {
      recorded: Array.from({ length: Number(recorded) }, (_, each) => ({
        name: functions[Number(pairs[2 * each])] ?? '?',
        returnsTo: linked(pairs[2 * each + 1] ?? 0n),
      })),
      frames: [pc - slide, ...Array.from(callers, linked)],
    };
  }
}

/**
 * What differs between the two; undefined where nothing does. Of a function that ends in a call of
 * another one the stack knows nothing more: it returns to where that one returns to.
 */
function difference(
  { recorded, frames: [pc = 0n, link = 0n, ...callers] }: Store,
  symbols: SymbolTable,
  listed: ReadonlySet<string>,
): string | undefined {
  const nameOf = (address: bigint) => symbols.nameAt(address)?.name ?? '?';
  // X30 is the caller in a function that calls none, and of no use once it has called one.
  const isLeaf = nameOf(link - 4n) !== nameOf(pc) && link !== callers[0];
  const returns = isLeaf ? [link, ...callers] : callers;
  const functions = [pc, ...returns.map((address) => address - 4n)].map(nameOf);
  const left = [...recorded];
  for (const [at, name] of functions.entries()) {
    const ends: string[] = [];
    while (left[0] && left[0].returnsTo === returns[at]) ends.push(left.shift()?.name ?? '');
    if (listed.has(name) && !ends.includes(name)) return `${name} is not recorded`;
  }
  return left[0] && `${left[0].name} is not on the stack`;
}

/** Boots with a recorder that also tells what the guest's stack says, at each store. */
async function compared(t: Test, changes: readonly RecorderChange[], over: Partial<CaseSetup>) {
  const frames = join(t.testdirName, 'frames');
  const text = readFileSync(join(import.meta.dirname, 'guest-frames.c'), 'utf8');
  const recorderLibrary = await changedRecorder(t, [...telling, ...changes], {
    'guest-frames.c': text.replace('FRAMES_FILE', JSON.stringify(frames)),
  });
  const setup = await realSetup(t, 'debian:7.3', { ...over, recorderLibrary });
  const evidence = await boot(setup);
  const list = recorderList(setup.symbols).functions;
  const functions = list.map(({ name }) => setup.symbols.codeName(name) ?? name);
  const listed = new Set(functions.filter((_, each) => list[each]?.role === 'operation'));
  const wrong = new Map<string, number>();
  let stores = 0;
  let owned = 0;
  for (const store of storesOf(frames, functions)) {
    stores++;
    owned += Number(store.recorded.length > 0);
    const what = difference(store, setup.symbols, listed);
    if (what !== undefined) wrong.set(what, (wrong.get(what) ?? 0) + 1);
  }
  return { evidence, wrong, stores, owned };
}

const machine: CaseSetup['machine'] = {
  cpu: 'max',
  cpus: 4,
  memory: 512,
  holes: [],
  world: 'normal',
};

t.test('four CPUs: every store belongs to the functions on the stack of the guest', async (t) => {
  const commandLine = `console=ttyAMA0 nokaslr panic=-1 -- ptdiff.probes=memfd_secret ${exerciseWord}`;
  const { evidence, wrong, stores, owned } = await compared(t, [], { machine, commandLine });
  t.equal(evidence.recordingFault, undefined);
  t.same(evidence.end, { kind: 'completed' });
  t.same(wrong, new Map(), `${stores} stores`);
  t.ok(stores > 100_000 && owned > 50_000, `${owned} of ${stores} in functions of the list`);
  const busy = new Set<number>();
  followRecording(given(evidence.recording), {
    entered: ({ name, cpu }) => void (name === 'secretmem_fault' && busy.add(cpu)),
  });
  t.same([...busy].sort(), [0, 1, 2, 3], 'each CPU has changed the tables of the kernel');
});

t.test('a recorder that takes every second return for none does not agree with it', async (t) => {
  const { wrong } = await compared(
    t,
    [
      [
        'operations.c',
        '\tlr = plain(read_x(cpu, 30));',
        '\tstatic int n;\n\tif (++n % 2) return;\n\tlr = plain(read_x(cpu, 30));',
      ],
    ],
    { machine, depth: 'early' },
  );
  t.ok(wrong.size > 0);
});
