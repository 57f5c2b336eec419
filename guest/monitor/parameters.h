/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The parameter block, with which the harness configures the monitor, at PARAMETERS_OFFSET of the
 * flash image. Little-endian. README.md explains the fields; guest/monitor-parameters.ts writes
 * them.
 */
#ifndef PARAMETERS_H
#define PARAMETERS_H

#include <stddef.h>
#include <stdint.h>

#include "layout.h"

#define PARAMETERS_MAGIC 0x31504e4f4d445450 /* "PTDMONP1" */
#define PARAMETERS_VERSION 2

#define WORLD_NORMAL 0
#define WORLD_REALM 1

#define MAX_REGIONS 8
#define MAX_DESTROYED 4
#define MAX_OVERRIDES 96

struct range {
	uint64_t base;
	uint64_t size;
};

/* On the CPUs of the CPU mask, the bits of `mask` in an ID register read as those of `value`. */
struct override {
	uint32_t cpus;
	uint32_t encoding; /* op0:op1:CRn:CRm:op2, as in bits 20:5 of MRS */
	uint64_t mask;
	uint64_t value;
};

struct parameters {
	uint64_t magic;
	uint32_t version;
	uint32_t size;
	uint32_t world;
	uint32_t ipa_bits;
	uint64_t monitor_base;
	uint64_t monitor_size;
	uint64_t image_entry;
	uint64_t device_tree;
	uint32_t cpus;
	uint32_t regions;
	uint32_t overrides;
	uint32_t destroyed;
	uint32_t ripas_step; /* most granules that one IPA_STATE_SET changes; 0: all */
	uint32_t described;   /* ranges of RAM in the guest's device tree */
	uint64_t root_base; /* the last part of the monitor's memory, for EL3; 0: there is no EL3 */
	uint64_t uart;      /* PL011 for the last message of a monitor that cannot continue */
	uint8_t personalization[64];
	struct range region[MAX_REGIONS];
	struct range destroyed_range[MAX_DESTROYED];
	uint64_t midr[MAX_CPUS]; /* 0: the CPU's own */
	struct override override[MAX_OVERRIDES];
	struct range described_range[MAX_REGIONS];
};

_Static_assert(offsetof(struct parameters, magic) == PARAMETERS_MAGIC_OFFSET, "entry.S reads the magic");
_Static_assert(offsetof(struct parameters, monitor_base) == PARAMETERS_BASE_OFFSET, "entry.S reads the base");
_Static_assert(offsetof(struct parameters, root_base) == PARAMETERS_ROOT_OFFSET, "el3.S reads the root base");
_Static_assert(offsetof(struct parameters, personalization) == 0x60, "layout of the parameter block");
_Static_assert(offsetof(struct parameters, region) == 0xa0, "layout of the parameter block");
_Static_assert(offsetof(struct parameters, destroyed_range) == 0x120, "layout of the parameter block");
_Static_assert(offsetof(struct parameters, midr) == 0x160, "layout of the parameter block");
_Static_assert(offsetof(struct parameters, override) == 0x1a0, "layout of the parameter block");
_Static_assert(offsetof(struct parameters, described_range) == 0xaa0, "layout of the parameter block");
_Static_assert(sizeof(struct parameters) <= PARAMETERS_SIZE, "the parameter block is one page");

#endif
