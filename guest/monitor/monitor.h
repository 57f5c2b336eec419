/* SPDX-License-Identifier: GPL-2.0-only */
/* The interfaces between the parts of the monitor. */
#ifndef MONITOR_H
#define MONITOR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "parameters.h"
#include "report.h"

typedef uint64_t u64;
typedef uint32_t u32;
typedef uint8_t u8;

#define GRANULE 0x1000UL
#define BLOCK 0x200000UL
#define GIB 0x40000000UL

#define read_sysreg(name)                                            \
	({                                                           \
		u64 value_;                                          \
		__asm__ volatile("mrs %0, " #name : "=r"(value_)::"memory"); \
		value_;                                              \
	})
#define write_sysreg(name, value) __asm__ volatile("msr " #name ", %0" ::"r"((u64)(value)) : "memory")
#define isb() __asm__ volatile("isb" ::: "memory")
#define dsb() __asm__ volatile("dsb sy" ::: "memory")

/* The guest's general registers, as the exception vectors saved them. */
struct frame {
	u64 x[32]; /* x[31] is padding */
};

/* entry.S */
extern struct parameters parameters;
extern char monitor_start[];
extern char secondary_entry[];
_Noreturn void enter_guest(u64 entry, u64 argument, u64 stack_top);
u64 forward_smc(u64 function, u64 a1, u64 a2, u64 a3);

/* cpu.c */
void prepare_cpu(u32 cpu);
u32 this_cpu(void);

/* stage2.c */
void stage2_init(void);
void stage2_enable(void);
bool stage2_is_used(void);
u64 protected_end(void);
u64 ram_run(u64 ipa, u64 top, bool *is_ram);
bool range_is_protected(u64 base, u64 top);
u64 granule_of(u64 address);
void stage2_unmap(u64 base, u64 top);
void stage2_map(u64 base, u64 top);

/* ripas.c */
enum ripas { RIPAS_EMPTY = 0, RIPAS_RAM = 1, RIPAS_DESTROYED = 2, RIPAS_DEV = 3 };
void ripas_init(u8 *table);
u8 *ripas_of(u64 ipa);
u64 ripas_state_run(u64 base, u64 top, u8 *state);
u64 ripas_change(u64 base, u64 top, u8 state, bool change_destroyed);
bool access_allowed(u64 ipa, u8 *kind, u8 *state);

/* gpt.c */
void gpt_make_realm(u64 base, u64 top);
void gpt_make_non_secure(u64 base, u64 top);

/* rsi.c */
bool rsi_call(struct frame *frame);

/* attestation.c */
void attestation_begin(u32 cpu, const u64 challenge[8]);
bool attestation_pending(u32 cpu);
u64 attestation_copy(u32 cpu, u8 *to, u64 size);

/* measurement.c */
void measurement_init(void);
void measurement_read(u32 index, u64 *words);
void measurement_extend(u32 index, const u8 *value, u32 size);

/* psci.c */
bool psci_call(struct frame *frame);
u64 boot_argument(u32 cpu, u64 *entry);

/* identity.c */
void identity_apply(u32 cpu);
bool identity_is_altered(u32 cpu);
bool identity_read(u32 encoding, u32 cpu, u64 *value);

/* inject.c */
void inject_external_abort(u64 esr);
void inject_undefined(void);

/* exceptions.c */
void handle_guest_exception(struct frame *frame);
_Noreturn void handle_unexpected(u64 vector);

/* record.c */
struct report *report(void);
void record_call(const struct frame *before, const struct frame *after);
void record_abort(const struct abort_record *record);

/* console.c */
_Noreturn void panic(const char *what, u64 value);

/* lock.c */
void lock(void);
void unlock(void);

/* memory.c */
void *memcpy(void *to, const void *from, size_t size);
void *memset(void *to, int value, size_t size);
int memcmp(const void *a, const void *b, size_t size);
void wipe(u64 base, u64 size);

/* sha256.c */
struct sha256 {
	u32 state[8];
	u64 length;
	u8 block[64];
};
void sha256_start(struct sha256 *hash);
void sha256_add(struct sha256 *hash, const void *data, size_t size);
void sha256_end(struct sha256 *hash, u8 digest[32]);

#endif
