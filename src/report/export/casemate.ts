// SPDX-License-Identifier: GPL-2.0-only
import { decodeBarrier } from '../../bbm/barrier.ts';
import { decodeTlbi } from '../../bbm/tlbi.ts';
import { hex } from '../../diff/text.ts';
import { PtdiffError } from '../../errors.ts';
import type { Recording } from '../../evidence/capture.ts';
import { followRecording } from '../../evidence/follow-recording.ts';
import { addressIn } from '../../evidence/recorded-places.ts';
import { registerOf } from '../../evidence/recorded-registers.ts';
import { LinkedTables } from '../../evidence/recorded-tables.ts';
import { type RecordedTable, RecordingReader } from '../../evidence/recording-reader.ts';
import { isTable, isValid } from '../../vmsa/descriptor.ts';
import { join } from '../../vmsa/descriptor-layout.ts';
import { encodedGranule, rootAddress } from '../../vmsa/regime.ts';

// The grammar, what each record means, and the limits: casemate 3.0.2 (github.com/rems-project/
// casemate), doc/asciidoc/sections/trace-format.adoc, src/casemate-check-c/src/parser.c and
// src/lib/src/{model,pgtable}.c.

/** CPUs that casemate tells apart. */
const mostCpus = 4;
/** Bits of the addresses that it knows. */
const addressMask = (1n << 48n) - 1n;
const pageBytes = 0x1000;

/**
 * A recording as a trace of casemate: the kernel's tables (TTBR1) from the moment on at which its
 * last root is live, as those of EL2, the only stage 1 that casemate knows.
 * @returns a record in each line
 * @throws PtdiffError(usage) for what casemate cannot be told: pages of other than 4 KiB, more than
 * four CPUs
 */
export function casemateTrace(recording: Recording): string {
  const { root, cpus, granule } = rootOf(recording);
  if (root === undefined) throw cannot('no CPU had a table of the kernel');
  if (granule !== pageBytes) throw cannot('the kernel has pages of other than 4 KiB');
  if (cpus > mostCpus) throw cannot(`there are ${cpus} CPUs`);
  return new CasemateTrace(recording, root).text();
}

function cannot(why: string): PtdiffError {
  return new PtdiffError(
    'usage',
    `This recording cannot be a trace for casemate, which knows pages of 4 KiB and up to ${mostCpus} CPUs: ${why}.`,
  );
}

/** The root that the first CPU has at the end, how many CPUs there are, and the pages' size. */
function rootOf(recording: Recording): { root: number | undefined; cpus: number; granule: number } {
  let root: number | undefined;
  let granule = 0;
  let cpus = 0;
  followRecording(recording, {
    register: (value, { insn, cpu }) => {
      const name = registerOf(insn);
      if (name === undefined) return;
      cpus = Math.max(cpus, cpu + 1);
      if (name === 'TCR_EL1') granule = encodedGranule(value, 'ttbr1') ?? 0;
      if (name === 'TTBR1_EL1' && cpu === 0) root = rootAddress(value);
    },
  });
  return { root, cpus, granule };
}

/** Where a table is for casemate: its page, and the first virtual address that it translates. */
interface Place {
  page: number;
  va: bigint;
}

/** A store that waits for the tables that it links: these follow it in a recording. */
interface Waiting {
  table: RecordedTable;
  index: number;
  low: number;
  high: number;
  cpu: number;
  site: number;
}

class CasemateTrace {
  readonly #recording: Recording;
  readonly #lines: string[] = [];
  readonly #reader: RecordingReader;
  readonly #root: number;
  /** A root of 512 GiB entries, where the kernel's has more or fewer levels: a page before RAM. */
  readonly #top: number;
  readonly #tables = new LinkedTables();
  /** Tables of the kernel's root, by their numbers. */
  readonly #places = new Map<number, Place>();
  /** What casemate has been told of each page, two words for each entry. */
  readonly #told = new Map<number, Uint32Array>();
  /** First virtual addresses of entries that were made invalid, and what they translated. */
  readonly #broken = new Map<bigint, bigint>();
  /** The root of each CPU. */
  readonly #roots = new Map<number, number>();
  #begun = false;
  #waiting: Waiting | undefined;
  #id = 0;

  constructor(recording: Recording, root: number) {
    this.#recording = recording;
    this.#root = root;
    this.#top = recording.ramBase - pageBytes;
    this.#reader = new RecordingReader(recording.functions, recording.ramBase, {
      table: (table) => {
        if (table.upper) this.#tables.linked(table);
      },
      unlink: (table) => {
        // What it leaves behind is what the store says that unlinks it.
        this.#settle();
        this.#places.delete(table.id);
        this.#tables.unlinked(table);
      },
      store: (table, index, low, high) => {
        this.#settle();
        const { cpu, site } = this.#reader;
        if (this.#places.has(table.id)) this.#waiting = { table, index, low, high, cpu, site };
      },
      tlbi: (operand) => this.#invalidate(operand),
      barrier: () => this.#barrier(),
      register: (value) => this.#register(value),
    });
  }

  text(): string {
    this.#reader.read(this.#recording.events);
    this.#settle();
    return this.#lines.join('');
  }

  #record(what: string, fields: string, cpu = this.#reader.cpu, site = this.#reader.site): void {
    const name = (this.#recording.sites[site] || '?').replaceAll(/[^\w.+$?]/g, '_');
    this.#lines.push(`(${what} (id ${this.#id++}) (tid ${cpu}) ${fields} (src "${name}:0"))\n`);
  }

  #register(value: bigint): void {
    this.#settle();
    const { cpu, site, sites } = this.#reader;
    if (registerOf(sites[site]?.insn ?? 0) !== 'TTBR1_EL1') return;
    const root = rootAddress(value);
    this.#roots.set(cpu, root);
    if (root !== this.#root) return;
    const table = this.#tables.at(root);
    // Its tables follow the first write to the register.
    if (table === undefined || !this.#begun) this.#begun = true;
    else this.#activate(table, cpu);
  }

  /** The address of the root as casemate knows it. */
  #rootPage({ pa, level }: RecordedTable): number {
    return level === 0 ? pa : this.#top;
  }

  #activate(root: RecordedTable, cpu: number): void {
    const fields = `(sysreg ttbr0_el2) (value ${hex(this.#rootPage(root))})`;
    this.#record('sysreg-write', fields, cpu);
  }

  /** Tells what waits; and at first, the tables as they are when the root goes live. */
  #settle(): void {
    if (this.#begun && this.#places.size === 0) this.#begin();
    const waiting = this.#waiting;
    this.#waiting = undefined;
    if (waiting === undefined) return;
    const { table, index, low, high, cpu, site } = waiting;
    this.#entry(table, index, low, high, { cpu, site });
  }

  #begin(): void {
    const root = this.#tables.at(this.#root);
    if (root === undefined) return;
    const entries = root.words.length / 2;
    const va = ((1n << 64n) - BigInt(entries) * sizeAt(root.level)) & addressMask;
    if (root.level !== 0) this.#page(this.#top);
    this.#link(root, root.level < 0 ? 0n : va);
    if (root.level > 0) this.#word(this.#top, Number(va / sizeAt(0)), root.pa | 3, 0);
    for (const [cpu, live] of this.#roots) if (live === this.#root) this.#activate(root, cpu);
  }

  /** Tells of a page once; after that it is written like any other memory. */
  #page(page: number): void {
    if (this.#told.has(page)) return;
    this.#told.set(page, new Uint32Array(1024));
    this.#record('mem-init', `(address ${hex(page)}) (size ${hex(pageBytes)})`);
  }

  /** Tells the content of a table before an entry leads to it. */
  #link(table: RecordedTable, va: bigint): void {
    if (this.#places.has(table.id)) return;
    // Two tables of 48 bits each share the one that casemate has: the kernel's halves do not meet.
    const page = table.level === 0 && table.pa !== this.#root ? this.#top : table.pa;
    this.#places.set(table.id, { page, va });
    if (table.level >= 0) this.#page(page);
    const { words } = table;
    const told = page === this.#top ? undefined : this.#told.get(page);
    for (let at = 0; at < words.length; at += 2) {
      const [low, high] = [words[at] as number, words[at + 1] as number];
      if (low !== (told?.[at] ?? 0) || high !== (told?.[at + 1] ?? 0))
        this.#entry(table, at / 2, low, high);
    }
  }

  #entry(
    table: RecordedTable,
    index: number,
    low: number,
    high: number,
    by: { cpu?: number; site?: number } = {},
  ): void {
    const place = this.#places.get(table.id);
    if (place === undefined) return;
    const size = sizeAt(table.level);
    const va = (place.va + BigInt(index) * size) & addressMask;
    if (isTable({ low }, table.level)) {
      const next = this.#tables.at(addressIn(low, high));
      if (next !== undefined) this.#link(next, va);
    }
    // Above 48 bits there is no table for casemate.
    if (table.level < 0) return;
    if (isValid({ low })) this.#broken.delete(va);
    else if (isValid({ low: this.#told.get(place.page)?.[2 * index] ?? 0 }))
      this.#broken.set(va, size);
    this.#word(place.page, index, low, high, by);
  }

  #word(
    page: number,
    index: number,
    low: number,
    high: number,
    { cpu, site }: { cpu?: number; site?: number } = {},
  ): void {
    const told = this.#told.get(page) as Uint32Array;
    told[2 * index] = low;
    told[2 * index + 1] = high;
    const fields = `(address ${hex(page + 8 * index)}) (value ${hex(join(low, high))})`;
    this.#record('mem-write', `(mem-order plain) ${fields}`, cpu, site);
  }

  /** Whether what reaches this CPU alone reaches every CPU with the kernel's root. */
  get #alone(): boolean {
    const { cpu } = this.#reader;
    return [...this.#roots].every(([other, root]) => other === cpu || root !== this.#root);
  }

  #barrier(): void {
    this.#settle();
    if (this.#places.size === 0) return;
    const insn = this.#reader.sites[this.#reader.site]?.insn ?? 0;
    const what = decodeBarrier(insn);
    if (what === undefined) {
      this.#record('barrier', 'isb');
      return;
    }
    // A DSB of loads orders no store, one that is not shareable nothing that another CPU sees.
    if (!what.stores || (what.own && !this.#alone)) return;
    this.#record('barrier', `dsb (kind ${what.full ? 'ish' : 'ishst'})`);
  }

  #invalidate(operand: bigint): void {
    this.#settle();
    if (this.#places.size === 0) return;
    const insn = this.#reader.sites[this.#reader.site]?.insn ?? 0;
    // Ranges count in pages or, with TCR_EL1.DS, as the tables of five levels have it, in 64 KiB.
    const wide = (this.#tables.at(this.#root)?.level ?? 0) < 0;
    const what = decodeTlbi(insn, operand, wide);
    if (what === undefined || (!what.broadcast && !this.#alone)) return;
    const { range, lastLevelOnly, global } = what;
    if (range === undefined) {
      if (global) this.#record('tlbi', 'alle2is');
      return;
    }
    if (range.start >= 0) return;
    const kind = lastLevelOnly ? 'vale2is' : 'vae2is';
    const start = (BigInt(range.start) << 12n) & addressMask;
    const end = ((BigInt(range.end) << 12n) - 1n) & addressMask;
    if (end - start < BigInt(pageBytes)) this.#invalidatePage(kind, start, operand);
    // casemate has no ranges, and looks at what is broken only.
    else
      for (const [va, size] of this.#broken)
        if (va <= end && va + size > start) this.#invalidatePage(kind, va < start ? start : va, 0n);
  }

  /** @param operand its hint at a level goes along */
  #invalidatePage(kind: string, va: bigint, operand: bigint): void {
    const hint = operand & (15n << 44n);
    this.#record('tlbi', `${kind} (value ${hex((va >> 12n) | hint)})`);
  }
}

/** What an entry translates, with pages of 4 KiB. */
function sizeAt(level: number): bigint {
  return 1n << BigInt(39 - 9 * level);
}
