// SPDX-License-Identifier: GPL-2.0-only
import type { RecordedOperation } from '../../evidence/follow-recording.ts';
import { callerOf } from '../../evidence/recorded-names.ts';
import type { LinkedEntry } from '../../evidence/recorded-tables.ts';
import type { RecordedTable } from '../../evidence/recording-reader.ts';
import { overlap, type PhysicalRange, sizedRange } from '../../linux/physical-range.ts';
import { type ImageSymbol, imageRange, imageVa, rodataEnabled } from '../context.ts';
import type { Rule } from '../invariants/violation.ts';
import { right } from './leaf-rights.ts';
import { type Offset, offsetOf, visitLeaves } from './live-tables.ts';
import type { Scene } from './scene.ts';
import type { Instant } from './window.ts';

const writableExecutable: Rule = {
  name: 'write-xor-execute',
  nature: 'writable-executable',
  title: 'kernel memory was writable and executable for a time',
  because: 'No leaf under TTBR1 is ever both writable and executable (STRICT_KERNEL_RWX).',
};

type View = 'linear' | 'text' | 'rodata' | 'other' | 'user';

const readOnly: Record<View, Rule> = {
  linear: readOnlyRule(
    'linear-alias-writable',
    'the linear alias of kernel text or rodata was writable after the kernel had protected it',
    'Since mark_linear_text_alias_ro() nothing may write there.',
  ),
  text: readOnlyRule(
    'text-writable',
    'kernel text was writable in the kernel image',
    'map_kernel() maps text read-only, and nothing may change that.',
  ),
  rodata: readOnlyRule(
    'rodata-writable',
    'kernel rodata was writable in the kernel image after the kernel had protected it',
    'Since mark_rodata_ro() nothing may write there.',
  ),
  other: readOnlyRule(
    'other-alias-writable',
    'kernel text or rodata was writable through another mapping',
    'Since mark_linear_text_alias_ro() only patching may, through a fixmap page.',
  ),
  user: readOnlyRule(
    'user-alias-writable',
    'kernel text or rodata was writable through the tables of user space',
    'No mapping under TTBR0 may write there.',
  ),
};

function readOnlyRule(nature: string, title: string, because: string): Rule {
  return { name: 'kernel-text-read-only', nature, title, because };
}

const rewrite = '__kpti_install_ng_mappings';

const patchingLeft: Rule = readOnlyRule(
  'patching-left-open',
  'a page for patching kernel text stayed writable after patching',
  'patch_unmap() ends each patch_map() before anything else happens on its CPU.',
);

/**
 * At every instant, in effective permissions:
 * - no leaf under TTBR1 is writable and executable. map_kernel() (arch/arm64/kernel/pi/map_kernel.c)
 *   relocates text while it is mapped PAGE_KERNEL, and makes it executable only when it is not
 *   writable any more, so that not even its beginning is left out; with rodata=off text is meant to
 *   be both (see write-xor-execute.ts). While KPTI rewrites the tables, CPU 0 has a root of its own,
 *   which maps each of them without PTE_PXN (KPTI_NG_PTE_FLAGS of arch/arm64/mm/proc.S, 47546a1912fc
 *   "arm64: mm: install KPTI nG mappings with MMU enabled"); the other CPUs wait, and nothing of it
 *   may be left when __kpti_install_ng_mappings() returns;
 * - text in the image is read-only from paging_init() on, the linear alias of [_text, __init_begin)
 *   since mark_linear_text_alias_ro() returned, rodata in the image since mark_rodata_ro() did (see
 *   kernel-text-read-only.ts), and any other alias, under TTBR0 too, since mark_linear_text_alias_ro(). Two may
 *   be writable for the moment of a change: the fixmap page of patch_map()
 *   (arch/arm64/kernel/patching.c), which holds a lock with interrupts off, and those of tables in
 *   rodata (set_swapper_pgd() of arch/arm64/mm/mmu.c).
 */
export class KernelLeaves {
  readonly #scene: Scene;
  readonly #image: PhysicalRange;
  readonly #text: PhysicalRange;
  readonly #imageView: { start: Offset; end: Offset };
  readonly #linear: { start: Offset; end: Offset };
  readonly #protected = new Set<View>();
  readonly #rodata: boolean;
  /** Fixmap pages for patching, by the CPU that patches. */
  readonly #patching = new Map<number, LinkedEntry>();
  /** CPUs that are in __kpti_install_ng_mappings(). */
  #rewriting = 0;

  constructor(scene: Scene) {
    const { image } = scene.boot;
    const { start, end } = scene.final.linear;
    const view = (symbol: ImageSymbol) => offsetOf(imageVa(image, symbol));
    this.#scene = scene;
    this.#image = imageRange(image, '_text', '__init_begin');
    this.#text = imageRange(image, '_stext', '_etext');
    this.#imageView = { start: view('_text'), end: view('_end') };
    this.#linear = { start: offsetOf(start), end: offsetOf(end) };
    this.#rodata = rodataEnabled(scene.final);
  }

  /** A leaf is there from now on; most are of no interest here. */
  leaf(table: RecordedTable, index: number, low: number, high: number, now: Instant): void {
    const { upper: rights, tables } = this.#scene;
    const may = rights.of(low, high);
    if (!(may & right.write)) return;
    const executable = (may & right.execute) !== 0;
    if (!executable && this.#protected.size === 0) return;
    const pa = this.#scene.memoryOf(table.level, low, high);
    const size = tables.size(table);
    const onImage = pa < this.#image.end && pa + size > this.#image.start;
    if (!executable && !onImage) return;
    const real = rights.of(low, high, tables.hierarchical(table));
    if (!(real & right.write)) return;
    const entry = { table, index, low, high };
    const view = this.#viewOf(tables.offset(table, index), pa, size);
    if (real & right.execute && !this.#mayBeBoth(view, pa, size))
      this.#scene.found(writableExecutable, entry, now);
    if (onImage && this.#protected.has(view)) this.#writable(entry, view, now);
  }

  /** A leaf is under TTBR0 from now on. */
  lowerLeaf(table: RecordedTable, index: number, low: number, high: number, now: Instant): void {
    if (!this.#protected.has('user')) return;
    if (!(this.#scene.lower.of(low, high) & right.write)) return;
    const pa = this.#scene.memoryOf(table.level, low, high);
    if (pa < this.#image.end && pa + this.#scene.tables.size(table) > this.#image.start)
      this.#scene.found(readOnly.user, { table, index, low, high }, now);
  }

  /** Whether a page for patching is open: then no other function may be entered. */
  get isPatching(): boolean {
    return this.#patching.size > 0;
  }

  static heeds(name: string): boolean {
    return ['paging_init', 'mark_linear_text_alias_ro', 'mark_rodata_ro', rewrite].includes(name);
  }

  /** A recorded function was entered, or returned. */
  entered({ name }: RecordedOperation, now: Instant): void {
    if (name === 'paging_init') this.#protect(['text'], now);
    if (name === rewrite) this.#rewriting++;
    if (this.#patching.size === 0 || name === '__set_fixmap') return;
    this.#leftOpen(now);
  }

  returned({ name }: RecordedOperation, now: Instant): void {
    if (name === 'mark_linear_text_alias_ro') this.#protect(['linear', 'other', 'user'], now);
    if (name === 'mark_rodata_ro') this.#protect(['rodata'], now);
    if (name === rewrite && --this.#rewriting === 0) this.#checkAll(now);
  }

  /** An entry changed. */
  changed(table: LinkedEntry['table'], index: number): void {
    for (const [cpu, entry] of this.#patching)
      if (entry.table === table && entry.index === index) this.#patching.delete(cpu);
  }

  #protect(views: readonly View[], moment: Instant): void {
    for (const view of views) if (view === 'linear' || this.#rodata) this.#protected.add(view);
    this.#checkAll(moment);
  }

  /** What is there already must hold to a rule that begins. */
  #checkAll(now: Instant): void {
    for (const each of this.#scene.tables.all())
      visitLeaves(each, (table, index, low, high) => {
        if (table.upper) this.leaf(table, index, low, high, now);
        else this.lowerLeaf(table, index, low, high, now);
      });
  }

  #viewOf(offset: Offset, pa: number, size: number): View {
    if (offset >= this.#linear.start && offset < this.#linear.end) return 'linear';
    const { start, end } = this.#imageView;
    if (offset < start || offset >= end) return 'other';
    return overlap(sizedRange(pa, size), this.#text) ? 'text' : 'rodata';
  }

  #writable(entry: LinkedEntry, view: View, moment: Instant): void {
    const use = view === 'other' ? this.#fixmapUse(entry, moment) : undefined;
    if (use === 'patching') this.#patching.set(moment.cpu, entry);
    if (use === undefined) this.#scene.found(readOnly[view], entry, moment);
  }

  /** What a fixmap page onto text or rodata is for, if it is one that may be. */
  #fixmapUse({ table, low, high }: LinkedEntry, { operation }: Instant) {
    const { recording, tables, boot } = this.#scene;
    if (operation?.name !== '__set_fixmap') return undefined;
    if (/^(patch_map|__text_poke|_*aarch64_insn_)/.test(callerOf(recording, operation.call)))
      return 'patching';
    const pa = this.#scene.memoryOf(table.level, low, high);
    return tables.isTablePage(pa - (pa % boot.granule)) ? 'table' : undefined;
  }

  #leftOpen(moment: Instant): void {
    const entry = this.#patching.get(moment.cpu);
    if (entry === undefined) return;
    this.#patching.delete(moment.cpu);
    this.#scene.found(patchingLeft, entry, moment);
  }

  /** While KPTI rewrites the tables; and with rodata=off, text in the image and the trampoline. */
  #mayBeBoth(view: View, pa: number, size: number): boolean {
    if (this.#rewriting > 0) return true;
    if (this.#rodata || view === 'linear') return false;
    const text = imageRange(this.#scene.boot.image, '_text', '__init_end');
    return pa >= text.start && pa + size <= text.end;
  }
}
