/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Where the parts of the monitor are. Shared by C and assembly, and with
 * guest/monitor-parameters.ts and src/evidence/decode-monitor-report.ts: a change here needs the
 * same change there.
 */
#ifndef LAYOUT_H
#define LAYOUT_H

/* In the flash image: the code, then the parameter block. */
#define PARAMETERS_OFFSET 0x10000
#define PARAMETERS_SIZE 0x1000

/*
 * In the monitor's own RAM, from its base (a multiple of 2 MiB): code, data and stacks; the report;
 * tables.
 */
#define REPORT_OFFSET 0x100000
#define ABORT_RING_OFFSET 0x140000
#define CALL_RING_OFFSET 0x180000
#define TABLES_OFFSET 0x400000

/* Offsets in the parameter block that entry.S needs. */
#define PARAMETERS_MAGIC_OFFSET 0x00
#define PARAMETERS_BASE_OFFSET 0x18
#define PARAMETERS_ROOT_OFFSET 0x50

/*
 * In Root memory, from its base (a multiple of 2 MiB): EL3's data; stacks; the granule protection
 * table.
 */
#define ROOT_STACKS_OFFSET 0x1000
#define ROOT_STACK_SIZE 0x1000
#define ROOT_LEVEL0_OFFSET 0x10000
#define ROOT_LEVEL1_OFFSET 0x20000

#define MAX_CPUS 8
#define STACK_SIZE 0x2000

#endif
