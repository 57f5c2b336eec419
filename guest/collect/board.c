// SPDX-License-Identifier: GPL-2.0-only
#include "board.h"

#include "btf.h"
#include "fail.h"
#include "symbols.h"
#include "vmcoreinfo.h"

/* -(1 << bits): arch/arm64/include/asm/memory.h, _PAGE_OFFSET(). */
static uint64_t below_top(unsigned int bits)
{
	return -(UINT64_C(1) << bits);
}

static unsigned int bits_per_level(const struct board *board)
{
	return board->page_shift - 3;
}

unsigned int level_shift(const struct board *board, int level)
{
	return board->page_shift + (unsigned int)(3 - level) * bits_per_level(board);
}

static unsigned int need_bits(struct memory *memory, const char *key, unsigned int least, unsigned int most)
{
	uint64_t value = vmcoreinfo_need(memory, key, 0);

	if (value < least || value > most)
		fail("The kernel's VMCOREINFO says %s=%llu, which no arm64 kernel can mean.", key,
		     (unsigned long long)value);
	return (unsigned int)value;
}

static void find_page_shift(struct board *board)
{
	uint64_t bytes = vmcoreinfo_need(board->memory, "PAGESIZE", 0);

	for (board->page_shift = 12; board->page_shift <= 16; board->page_shift += 2) {
		if (bytes == UINT64_C(1) << board->page_shift)
			return;
	}
	fail("The kernel's VMCOREINFO says PAGESIZE=%llu, which no arm64 kernel can mean.", (unsigned long long)bytes);
}

/* The root of TTBR1_EL1 (DDI 0487 D8.2), as cpu_replace_ttbr1() of the kernel sets it. */
static void find_root(struct board *board)
{
	uint64_t table = vmcoreinfo_need(board->memory, "SYMBOL(swapper_pg_dir)", 16) - board->kimage_voffset;
	unsigned int levels = (board->input_bits - board->page_shift + bits_per_level(board) - 1) / bits_per_level(board);

	board->root_level = 4 - (int)levels;
	board->root_entries = (size_t)1 << (board->input_bits - level_shift(board, board->root_level));
	/*
	 * With pages of 64K a table for 52 bits serves a CPU with 48 as well, which uses its end
	 * (offset_ttbr1 in arch/arm64/include/asm/assembler.h).
	 */
	if (board->page_shift == 16 && board->va_bits == 52 && board->input_bits == 48)
		table += (((uint64_t)1 << (52 - 42)) - (1 << (48 - 42))) * 8;
	board->root = table;
}

static void find_image(struct board *board)
{
	uint64_t start, end;

	if (!board->has_symbols)
		return;
	if (!symbol_address("_text", &start) || !symbol_address("_end", &end)) {
		lose("The kernel's symbols have no _text or no _end, so that its tables are read through their linear alias only.");
		return;
	}
	board->image_start = start - board->kimage_voffset;
	board->image_end = end - board->kimage_voffset;
}

void board_open(struct board *board, struct memory *memory)
{
	unsigned int least_bits;

	if (!memory->vmcoreinfo || memory->vmcoreinfo_length == 0)
		fail("There is no VMCOREINFO in what %s shows of the kernel: collect needs a kernel that is built with CONFIG_VMCORE_INFO (CONFIG_CRASH_DUMP or CONFIG_PROC_KCORE).",
		     memory->source);
	*board = (struct board){ .memory = memory };
	find_page_shift(board);
	board->va_bits = need_bits(memory, "NUMBER(VA_BITS)", 36, 52);
	board->input_bits = 64 - need_bits(memory, "NUMBER(TCR_EL1_T1SZ)", 12, 28);
	board->lpa2 = board->page_shift != 16 && board->input_bits > 48;
	board->phys_offset = vmcoreinfo_need(memory, "NUMBER(PHYS_OFFSET)", 0);
	board->kimage_voffset = vmcoreinfo_need(memory, "NUMBER(kimage_voffset)", 0);
	/* VA_BITS_MIN, below which the other half of the kernel's addresses begins. */
	least_bits = board->va_bits <= 48 ? board->va_bits : board->page_shift == 14 ? 47 : 48;
	board->linear_start = below_top(board->va_bits);
	board->linear_end = below_top(least_bits - 1);
	find_root(board);
	board->has_symbols = symbols_open(memory);
	board->has_types = board->has_symbols && btf_open(memory);
	find_image(board);
}

bool board_is_freed(uint64_t address)
{
	uint64_t start, end;

	return symbol_address("__init_begin", &start) && symbol_address("__init_end", &end) && address >= start &&
	       address < end;
}

bool board_variable(const struct board *board, const char *name, void *to, size_t bytes)
{
	uint64_t address;

	return symbol_address(name, &address) && !board_is_freed(address) &&
	       board->memory->read_virtual(board->memory, address, to, bytes);
}
