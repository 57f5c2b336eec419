/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The recorder writes what happens to the guest's stage 1 translation tables into a file that the
 * harness reads. docs/recording.md describes the events.
 */
#ifndef PTDIFF_RECORDER_H
#define PTDIFF_RECORDER_H

#include "qemu-api.h"

#define MAX_CPUS 64

/* What the harness tells of the machine and its kernel; addresses are physical or link addresses. */
struct setting {
	const char *out;
	const char *functions;
	uint64_t ram_base, ram_size;
	uint64_t skip_start, skip_end; /* the monitor's memory: its code is not the guest's */
	uint64_t anchor_pa, anchor_target;
	unsigned int anchor_register;
	uint64_t image_pa, image_start, image_end;
	uint64_t page_end; /* the linear map is below it, whatever VA_BITS is (PAGE_END) */
	uint64_t windows_start; /* the fixmap and the page of KPTI are above it */
};
extern struct setting setting;

static inline bool is_monitor(uint64_t address)
{
	return address - setting.skip_start < setting.skip_end - setting.skip_start;
}

/* What is added to link addresses; known from the anchor on. */
extern uint64_t slide;
extern bool slide_known;

/* An instruction that makes events. */
struct site {
	struct site *next;
	uint64_t pc;
	uint32_t insn;
	uint32_t id; /* 0 until an event names it */
	uint64_t last, last_table, last_index; /* what it wrote last, and where */
};

/* log.c: every function is called with the lock held, but log_open() */
enum event {
	EV_CPU = 1, EV_SITE, EV_TIME, EV_STORE, EV_TLBI, EV_BARRIER, EV_MSR, EV_TABLE, EV_UNLINK,
	EV_CALL, EV_ENTER, EV_LEAVE, EV_SWITCH, EV_MARK, EV_UNMARK, EV_ODD,
};
/* How the recorder finds out that it is wrong (docs/recording.md). */
enum odd { ODD_DEPTH = 1, ODD_TASK, ODD_TLBI };
/* How many TLB invalidations of each CPU were written. */
extern uint64_t tlbis_written[MAX_CPUS];
bool log_open(const char *path);
void lock(void);
void unlock(void);
void event(enum event kind, unsigned int cpu);
void odd(enum odd why, unsigned int cpu);
void event_at(enum event kind, unsigned int cpu, struct site *site);
void number(uint64_t value);
void change(uint64_t *last, uint64_t value);

/* tables.c: with the lock held, but is_table_memory() */
bool tables_open(void);
bool is_table_memory(uint64_t pa);
void tables_stored(unsigned int cpu, struct site *site, uint64_t pa, const uint64_t *values,
		   unsigned int count);
void root_register(unsigned int cpu, bool upper, uint64_t value);
void control_register(unsigned int cpu, uint64_t tcr);
void root_freed(unsigned int cpu, uint64_t pa);
void root_stays(uint64_t link_address);

/* operations.c */
bool operations_open(void);
void operations_instrument(struct qemu_plugin_insn *insn, uint64_t pc, uint32_t word);
void operations_interrupted(unsigned int cpu, int type, uint64_t from, uint64_t to, void *unused);

/* registers.c */
void registers_find(unsigned int cpu);
uint64_t read_x(unsigned int cpu, unsigned int number);
uint64_t read_sp(unsigned int cpu);
bool read_current(unsigned int cpu, uint64_t *task);

/* translate.c */
bool translate_open(void);
void translate(struct qemu_plugin_tb *tb, void *unused);
bool linear_to_physical(uint64_t va, uint64_t *pa);

void complain(const char *what);

#endif
