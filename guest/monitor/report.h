/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The report: what the harness reads from RAM, at REPORT_OFFSET of the monitor's memory.
 * Little-endian. A record is complete when its sequence number is its index in the order of records
 * plus one; rings keep the newest records.
 */
#ifndef REPORT_H
#define REPORT_H

#include <stddef.h>
#include <stdint.h>

#include "layout.h"
#include "parameters.h"

#define REPORT_MAGIC 0x31524e4f4d445450 /* "PTDMONR1" */
#define REPORT_VERSION 1

#define STATE_RUNNING 1
#define STATE_PANIC 2

#define RSI_FUNCTIONS 10
#define ABORT_RECORDS 4096
#define CALL_RECORDS 16384
#define LAST_WORDS 256

enum abort_kind {
	ABORT_PROTECTED_NOT_RAM = 1, /* RAM's protected address while its RIPAS is EMPTY or DESTROYED */
	ABORT_ALIAS_OF_PRIVATE = 2,  /* RAM's alias while its RIPAS is not EMPTY */
	ABORT_PROTECTED_DEVICE = 3,  /* a device, or nothing, at a protected address */
	ABORT_OUTSIDE = 4,           /* no RAM and no device: the monitor's memory, or nothing at all */
	ABORT_GRANULE_PROTECTION = 5 /* the granule protection check refused it: the GPT and stage 2 disagree */
};

/* An access that the monitor refused with a synchronous external abort. */
struct abort_record {
	uint64_t sequence;
	uint64_t time; /* CNTPCT_EL0 */
	uint64_t ipa;
	uint64_t far;
	uint64_t elr;
	uint64_t spsr;
	uint32_t esr; /* as taken to EL2 */
	uint16_t cpu;
	uint8_t kind;
	uint8_t ripas; /* of the granule; 0 outside RAM */
	uint64_t link; /* x30 */
};

/* An SMC of the guest. */
struct call_record {
	uint64_t sequence;
	uint64_t time;
	uint64_t function;
	uint64_t argument[4]; /* x1 to x4 */
	uint64_t result[3];   /* x0 to x2 */
	uint64_t elr;
	uint64_t link; /* x30 */
	uint64_t frame_pointer;
	uint32_t cpu;
	uint32_t reserved0;
	uint64_t reserved1[2];
};

struct report {
	uint64_t magic;
	uint32_t version;
	uint32_t state;
	uint32_t world;
	uint32_t ipa_bits;
	uint32_t cpus_entered; /* mask */
	uint32_t regions;
	struct range region[MAX_REGIONS]; /* guest RAM; granules are counted through them in this order */
	uint64_t ripas_table;             /* physical address: a byte for each granule of 4 KiB */
	uint64_t granules;
	uint64_t stage2_root; /* as in VTTBR_EL2 */
	uint64_t stage2_control;
	uint64_t rsi_calls[RSI_FUNCTIONS];
	uint64_t rsi_refusals[RSI_FUNCTIONS]; /* of those, answered with an error */
	uint64_t psci_calls;
	uint64_t unknown_calls;
	uint64_t id_reads;
	uint64_t undefined; /* instructions that the monitor had to refuse */
	uint64_t granules_shared;
	uint64_t granules_made_private;
	uint64_t aborts; /* total; the ring keeps the newest ABORT_RECORDS */
	uint64_t calls;
	char last_words[LAST_WORDS];
};

_Static_assert(sizeof(struct abort_record) == 64, "layout of the report");
_Static_assert(sizeof(struct call_record) == 128, "layout of the report");
_Static_assert(offsetof(struct report, region) == 0x20, "layout of the report");
_Static_assert(offsetof(struct report, ripas_table) == 0xa0, "layout of the report");
_Static_assert(offsetof(struct report, rsi_calls) == 0xc0, "layout of the report");
_Static_assert(offsetof(struct report, psci_calls) == 0x160, "layout of the report");
_Static_assert(offsetof(struct report, last_words) == 0x1a0, "layout of the report");
_Static_assert(sizeof(struct report) <= ABORT_RING_OFFSET - REPORT_OFFSET, "the report ends before its rings");
_Static_assert(ABORT_RING_OFFSET + ABORT_RECORDS * 64 <= CALL_RING_OFFSET, "rings do not overlap");
_Static_assert(CALL_RING_OFFSET + CALL_RECORDS * 128 <= TABLES_OFFSET, "rings end before the tables");

#endif
