// SPDX-License-Identifier: GPL-2.0-only
/*
 * Which instructions are watched is decided when QEMU translates them, since a callback costs time
 * whenever it is called. Encodings are those of DDI 0487, C4.1.
 */
#include <stdlib.h>

#include "recorder.h"

enum { SITES = 1 << 16 };
static struct site *sites[SITES];
/* Virtual less physical address: of the linear map, and of the Image. */
static uint64_t linear_offset, image_offset;
static bool linear_known;
/* TLB invalidations of each CPU, counted by generated code. */
static qemu_plugin_u64 tlbis;

bool translate_open(void)
{
	tlbis = (qemu_plugin_u64){ qemu_plugin_scoreboard_new(sizeof(uint64_t)), 0 };
	return tlbis.score != NULL;
}

static struct site *site_of(uint64_t pc, uint32_t insn)
{
	struct site **slot = &sites[(pc >> 2 ^ insn * 2654435761U) % SITES];
	struct site *site = *slot;

	while (site && (site->pc != pc || site->insn != insn))
		site = site->next;
	if (site)
		return site;
	site = calloc(1, sizeof(*site));
	if (!site)
		abort();
	*site = (struct site){ .next = *slot, .pc = pc, .insn = insn };
	return *slot = site;
}

static bool is_kernel_address(uint64_t va)
{
	return va >> 55 & 1;
}

bool linear_to_physical(uint64_t va, uint64_t *pa)
{
	*pa = va - linear_offset;
	return linear_known && is_kernel_address(va) && va < setting.page_end;
}

/*
 * The linear map and the Image are looked up once and reckoned from then on. Tables are never
 * written through vmalloc, so what is there is not looked up at all; the fixmap and the page of KPTI
 * are above it.
 */
static bool physical_of(uint32_t info, uint64_t va, uint64_t *pa)
{
	struct qemu_plugin_hwaddr *hwaddr;
	bool linear = is_kernel_address(va) && va < setting.page_end;
	bool image = slide_known && va - (setting.image_start + slide) <
					    setting.image_end - setting.image_start;

	if (linear && linear_known) {
		*pa = va - linear_offset;
		return true;
	}
	if (image) {
		*pa = va - image_offset;
		return true;
	}
	if (is_kernel_address(va) && !linear && slide_known && va < setting.windows_start)
		return false;
	hwaddr = qemu_plugin_get_hwaddr(info, va);
	if (!hwaddr || qemu_plugin_hwaddr_is_io(hwaddr))
		return false;
	*pa = qemu_plugin_hwaddr_phys_addr(hwaddr);
	if (linear) {
		linear_offset = va - *pa;
		__atomic_store_n(&linear_known, true, __ATOMIC_RELEASE);
	}
	return true;
}

static void stored(unsigned int cpu, uint32_t info, uint64_t va, void *udata)
{
	unsigned int shift;
	uint64_t values[2];
	qemu_plugin_mem_value value;
	uint64_t pa;

	/* Few stores get beyond this. */
	if (!physical_of(info, va, &pa) || !is_table_memory(pa))
		return;
	shift = qemu_plugin_mem_size_shift(info);
	if (shift < 3)
		return;
	value = qemu_plugin_mem_get_value(info);
	values[0] = shift == 3 ? value.data.u64 : value.data.u128.low;
	values[1] = value.data.u128.high;
	lock();
	tables_stored(cpu, udata, pa, values, 1U << (shift - 3));
	unlock();
}

static void barrier(unsigned int cpu, void *udata)
{
	lock();
	/* What it invalidated before is written by now. */
	if (qemu_plugin_u64_get(tlbis, cpu) != tlbis_written[cpu]) {
		odd(ODD_TLBI, cpu);
		tlbis_written[cpu] = qemu_plugin_u64_get(tlbis, cpu);
	}
	event_at(EV_BARRIER, cpu, udata);
	unlock();
}

static void invalidation(unsigned int cpu, void *udata)
{
	struct site *site = udata;

	lock();
	event_at(EV_TLBI, cpu, site);
	change(&site->last, read_x(cpu, site->insn & 31));
	unlock();
}

enum { TTBR0 = 0x2000, TTBR1 = 0x2001, TCR = 0x2002 };

/* op1, CRn, CRm and op2 of an MSR, a hexadecimal digit each but for op2's. */
static unsigned int system_register(uint32_t insn)
{
	return (insn >> 12 & 15) << 12 | (insn >> 8 & 15) << 8 | (insn >> 16 & 7) << 4 | (insn >> 5 & 7);
}

static void register_written(unsigned int cpu, void *udata)
{
	struct site *site = udata;
	uint64_t value = read_x(cpu, site->insn & 31);
	unsigned int name = system_register(site->insn);

	lock();
	event_at(EV_MSR, cpu, site);
	change(&site->last, value);
	if (name == TCR)
		control_register(cpu, value);
	if (name == TTBR0 || name == TTBR1)
		root_register(cpu, name == TTBR1, value);
	unlock();
}

static bool is_translation_register(uint32_t insn)
{
	switch (system_register(insn)) {
	case TTBR0:
	case TTBR1:
	case TCR:
	case 0x2003: /* TCR2 */
	case 0x1000: /* SCTLR */
	case 0xa200: /* MAIR */
	case 0xa202: /* PIRE0 */
	case 0xa203: /* PIR */
		return true;
	default:
		return false;
	}
}

/*
 * Whether a load or store instruction may write 8 bytes or more to a table: not those of a byte, a
 * half or a word, nor those relative to SP.
 */
static bool may_write_table(uint32_t insn)
{
	bool is_memory = (insn & 0x0a000000) == 0x08000000;
	bool relative_to_sp = (insn >> 5 & 31) == 31;
	bool single = (insn & 0x3a000000) == 0x38000000; /* LDR, STR, LSE atomics */
	bool vector = insn >> 26 & 1;
	bool pair = (insn & 0x3a000000) == 0x28000000;

	if (!is_memory || relative_to_sp)
		return false;
	if (single && !vector)
		return insn >> 30 == 3;
	if (pair && !vector)
		return insn >> 30 == 2;
	return true;
}

/* The branch to the kernel's virtual addresses: its register tells how far KASLR moved it. */
static void anchored(unsigned int cpu, void *udata)
{
	(void)udata;
	lock();
	slide = read_x(cpu, setting.anchor_register) - setting.anchor_target;
	image_offset = setting.image_start + slide - setting.image_pa;
	slide_known = true;
	unlock();
}

static void watch(struct qemu_plugin_insn *insn, uint64_t pc, uint32_t word)
{
	struct site *site;

	if (may_write_table(word)) {
		site = site_of(pc, word);
		qemu_plugin_register_vcpu_mem_cb(insn, stored, CB_NO_REGS, MEM_W, site);
	} else if ((word & 0xfff8e000) == 0xd5088000) { /* SYS with CRn 8 or 9: TLBI */
		site = site_of(pc, word);
		qemu_plugin_register_vcpu_insn_exec_cb(insn, invalidation, CB_R_REGS, site);
		qemu_plugin_register_vcpu_insn_exec_inline_per_vcpu(insn, OP_ADD, tlbis, 1);
	} else if ((word & 0xfffff01f) == 0xd503301f && (0x52 >> (word >> 5 & 7) & 1)) {
		/* DSB nXS (op2 1), DSB (4), ISB (6) */
		site = site_of(pc, word);
		qemu_plugin_register_vcpu_insn_exec_cb(insn, barrier, CB_NO_REGS, site);
	} else if ((word & 0xfff00000) == 0xd5100000 && (word >> 19 & 1) &&
		   is_translation_register(word)) {
		site = site_of(pc, word);
		qemu_plugin_register_vcpu_insn_exec_cb(insn, register_written, CB_R_REGS, site);
	}
	operations_instrument(insn, pc, word);
	if (pc == setting.anchor_pa)
		qemu_plugin_register_vcpu_insn_exec_cb(insn, anchored, CB_R_REGS, NULL);
}

/* Code of the kernel: at its virtual addresses, or, early and for a moment later, in RAM. */
void translate(struct qemu_plugin_tb *tb, void *unused)
{
	uint64_t start = qemu_plugin_tb_vaddr(tb);
	size_t count = qemu_plugin_tb_n_insns(tb);
	(void)unused;

	if (is_monitor(start))
		return;
	if (!is_kernel_address(start) && start - setting.ram_base >= setting.ram_size)
		return;
	lock();
	for (size_t i = 0; i < count; i++) {
		struct qemu_plugin_insn *insn = qemu_plugin_tb_get_insn(tb, i);
		uint32_t word = 0;

		if (qemu_plugin_insn_data(insn, &word, sizeof(word)) == sizeof(word))
			watch(insn, qemu_plugin_insn_vaddr(insn), word);
	}
	unlock();
}
