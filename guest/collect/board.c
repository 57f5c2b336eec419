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

static bool find_bits(const struct board *board, const char *key, unsigned int least, unsigned int most, unsigned int *bits)
{
	uint64_t value;

	if (!vmcoreinfo_find(board->memory, key, 0, &value) || value < least || value > most)
		return false;
	*bits = (unsigned int)value;
	return true;
}

static bool find_page_shift(struct board *board)
{
	uint64_t bytes;

	if (!vmcoreinfo_find(board->memory, "PAGESIZE", 0, &bytes))
		return false;
	for (board->page_shift = 12; board->page_shift <= 16; board->page_shift += 2) {
		if (bytes == UINT64_C(1) << board->page_shift)
			return true;
	}
	return false;
}

/* The root of TTBR1_EL1 (DDI 0487 D8.2), as cpu_replace_ttbr1() of the kernel sets it. */
static bool find_root(struct board *board)
{
	uint64_t swapper, table;
	unsigned int levels = (board->input_bits - board->page_shift + bits_per_level(board) - 1) / bits_per_level(board);

	if (!vmcoreinfo_find(board->memory, "SYMBOL(swapper_pg_dir)", 16, &swapper))
		return false;
	table = swapper - board->kimage_voffset;
	board->root_level = 4 - (int)levels;
	board->root_entries = (size_t)1 << (board->input_bits - level_shift(board, board->root_level));
	/*
	 * With pages of 64K a table for 52 bits serves a CPU with 48 as well, which uses its end
	 * (offset_ttbr1 in arch/arm64/include/asm/assembler.h).
	 */
	if (board->page_shift == 16 && board->va_bits == 52 && board->input_bits == 48)
		table += (((uint64_t)1 << (52 - 42)) - (1 << (48 - 42))) * 8;
	board->root = table;
	return true;
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

const char *board_geometry(struct board *board, struct memory *memory)
{
	unsigned int least_bits, t1sz;

	*board = (struct board){ .memory = memory };
	if (!find_page_shift(board))
		return "PAGESIZE";
	if (!find_bits(board, "NUMBER(VA_BITS)", 36, 52, &board->va_bits))
		return "NUMBER(VA_BITS)";
	if (!find_bits(board, "NUMBER(TCR_EL1_T1SZ)", 12, 28, &t1sz))
		return "NUMBER(TCR_EL1_T1SZ)";
	board->input_bits = 64 - t1sz;
	board->lpa2 = board->page_shift != 16 && board->input_bits > 48;
	if (!vmcoreinfo_find(memory, "NUMBER(PHYS_OFFSET)", 0, &board->phys_offset))
		return "NUMBER(PHYS_OFFSET)";
	if (!vmcoreinfo_find(memory, "NUMBER(kimage_voffset)", 0, &board->kimage_voffset))
		return "NUMBER(kimage_voffset)";
	/* VA_BITS_MIN, below which the other half of the kernel's addresses begins. */
	least_bits = board->va_bits <= 48 ? board->va_bits : board->page_shift == 14 ? 47 : 48;
	board->linear_start = below_top(board->va_bits);
	board->linear_end = below_top(least_bits - 1);
	return find_root(board) ? NULL : "SYMBOL(swapper_pg_dir)";
}

void board_open(struct board *board, struct memory *memory)
{
	const char *wrong;

	if (!memory->vmcoreinfo || memory->vmcoreinfo_length == 0)
		fail("There is no VMCOREINFO in what %s shows of the kernel: collect needs a kernel that is built with CONFIG_VMCORE_INFO (CONFIG_CRASH_DUMP or CONFIG_PROC_KCORE).",
		     memory->source);
	wrong = board_geometry(board, memory);
	if (wrong)
		fail("The kernel's VMCOREINFO has no %s that an arm64 kernel can mean: collect reads arm64 kernels since Linux 6.12.",
		     wrong);
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
