/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The protocol between init and src/evidence/records.ts. All numbers are little-endian.
 *
 * init writes records into pages of its own memory. A directory page gives the physical addresses
 * of these pages. A harness that can read the machine's RAM therefore needs no device and no
 * console, and has everything that was committed before the kernel dies. Records follow each other,
 * each aligned to 8 bytes, across the data pages as if these were contiguous.
 */
#ifndef PTDIFF_PROTOCOL_H
#define PTDIFF_PROTOCOL_H

#include <stdint.h>

#define DIRECTORY_MAGIC UINT64_C(0x3144524646494450) /* "PDIFFRD1" */
#define DIRECTORY_VERSION 1

/*
 * The first page. It lists index pages, and an index page lists data pages, each by physical
 * address; 0 ends a list.
 */
struct directory {
	uint64_t magic;
	uint32_t version;
	uint32_t page_bytes;
	/* Echo of the argument ptdiff.nonce: proves that this directory belongs to this boot. */
	uint64_t nonce;
	/* Bytes of complete records; written last. */
	uint64_t committed;
	/* Records that did not fit. */
	uint64_t lost;
	uint64_t index_pages[];
};

#define RECORD_MAGIC UINT32_C(0x52445450) /* "PTDR" */

enum record_type {
	/* A piece of the file `name`; pieces of one file follow each other in order. */
	RECORD_PIECE = 1,
	/* The end of the file `name`: struct file_end. If a file is sent twice, the last one counts. */
	RECORD_FILE_END = 2,
	/*
	 * The result of the probe `name`: lines "call=", "errno=", "page=" (physical address in
	 * hexadecimal, repeated), "data=" (bytes that came from a device).
	 */
	RECORD_PROBE = 3,
	/* Something failed in init: `name` says where, the payload says what. */
	RECORD_PROBLEM = 4,
};

struct record {
	uint32_t magic;
	uint32_t sequence;
	uint16_t type;
	uint16_t name_bytes;
	uint32_t payload_bytes;
	/* CRC-32 (IEEE) over this header with crc 0, then the name, then the payload. */
	uint32_t crc;
	uint32_t reserved;
};

struct file_end {
	/*
	 * 0, or why the file could not be opened or read completely; ENOENT means that this kernel does
	 * not have it.
	 */
	uint32_t error;
	/* 1 when the file was longer than the limit of init. */
	uint32_t cut;
};

/*
 * Events reach the harness through a breakpoint on __arm64_sys_reboot: init calls
 * reboot(LINUX_REBOOT_MAGIC1, EVENT_MAGIC2, event, physical address of the directory), which the
 * kernel refuses with EINVAL, so the call has no effect without a harness.
 */
#define EVENT_MAGIC2 UINT32_C(0x70746466)

enum event {
	/* The directory exists. */
	EVENT_HELLO = 1,
	/* All records are committed; the probes still hold and map their pages. */
	EVENT_READY = 2,
	/* The exercises are over (exercises.h): the machine is about to be powered off. */
	EVENT_BYE = 3,
};

#endif
