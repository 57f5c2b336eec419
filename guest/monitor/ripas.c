// SPDX-License-Identifier: GPL-2.0-only
/*
 * RIPAS, the realm's IPA state (DEN0137, "Realm IPA state"): one byte for each granule of RAM.
 * Addresses without RAM are EMPTY. In the normal world all RAM is always RAM.
 */
#include "monitor.h"

static u8 *states;

u8 *ripas_of(u64 ipa)
{
	return states + granule_of(ipa);
}

/* Sets bytes, whole words at a time, since with the MMU off every store is slow. */
static void fill(u8 *from, u8 *end, u8 state)
{
	while (from < end && (u64)from % 8 != 0)
		*from++ = state;
	for (; end - from >= 8; from += 8)
		*(u64 *)from = state * 0x0101010101010101UL;
	while (from < end)
		*from++ = state;
}

static void set_range(const struct range *range, u8 state)
{
	bool is_ram;
	u64 end = range->base + range->size;

	if (range->base % GRANULE != 0 || range->size % GRANULE != 0)
		panic("a range is not made of whole granules", range->base);
	if (ram_run(range->base, end, &is_ram) != end || !is_ram)
		panic("a described or destroyed range is no RAM", range->base);
	fill(ripas_of(range->base), ripas_of(range->base) + range->size / GRANULE, state);
}

/* Memory that is shared from the start is Non-secure, where there is a Non-secure world. */
static void give_away(u64 base, u64 top)
{
	for (u64 at = base; at < top;) {
		u8 state;
		u64 end = ripas_state_run(at, top, &state);

		if (state == RIPAS_EMPTY)
			gpt_make_non_secure(at, end);
		at = end;
	}
}

/*
 * Memory that is described to the guest is RAM when the guest starts (README.md, "What a guest
 * finds"), except what the host destroyed; the rest is EMPTY. The normal world has no states.
 */
void ripas_init(u8 *table)
{
	u64 described = 0;

	states = table;
	report()->ripas_table = (u64)table;
	for (u32 i = 0; i < parameters.regions; i++) {
		u64 granules = parameters.region[i].size / GRANULE;
		u8 *first = ripas_of(parameters.region[i].base);

		report()->granules += granules;
		fill(first, first + granules, parameters.world == WORLD_REALM ? RIPAS_EMPTY : RIPAS_RAM);
	}
	for (u32 i = 0; parameters.world == WORLD_REALM && i < parameters.described; i++) {
		set_range(&parameters.described_range[i], RIPAS_RAM);
		described += parameters.described_range[i].size / GRANULE;
	}
	for (u32 i = 0; i < parameters.destroyed; i++)
		set_range(&parameters.destroyed_range[i], RIPAS_DESTROYED);
	/* Usually everything is described, and there is nothing to search for. */
	for (u32 i = 0; described < report()->granules && i < parameters.regions; i++)
		give_away(parameters.region[i].base, parameters.region[i].base + parameters.region[i].size);
}

static u8 state_at(u64 ipa)
{
	bool is_ram;

	ram_run(ipa, ipa + GRANULE, &is_ram);
	return is_ram ? *ripas_of(ipa) : RIPAS_EMPTY;
}

/* The state at `base`, and the address where it changes, at most `top`. */
u64 ripas_state_run(u64 base, u64 top, u8 *state)
{
	bool is_ram;

	*state = state_at(base);
	for (u64 at = base; at < top;) {
		u64 end = ram_run(at, top, &is_ram);

		if (!is_ram) {
			if (*state != RIPAS_EMPTY)
				return at;
			at = end;
			continue;
		}
		for (const u8 *seen = ripas_of(at); at < end; at += GRANULE, seen++) {
			if (*seen != *state)
				return at;
		}
	}
	return top;
}

/*
 * Changes a run of granules that all have the same old state: their contents, the physical address
 * space, the record.
 */
static void change_run(u64 base, u64 top, u8 state)
{
	if (state == RIPAS_RAM) {
		gpt_make_realm(base, top);
		report()->granules_made_private += (top - base) / GRANULE;
	}
	wipe(base, top - base);
	if (state == RIPAS_EMPTY) {
		gpt_make_non_secure(base, top);
		report()->granules_shared += (top - base) / GRANULE;
	}
	memset(ripas_of(base), state, (top - base) / GRANULE);
}

/* The end of the granules from `base` on that have the same state. */
static u64 run_end(u64 base, u64 top)
{
	const u8 *held = ripas_of(base);
	u64 end = base;

	for (const u8 *seen = held; end < top && *seen == *held; seen++)
		end += GRANULE;
	return end;
}

/* Changes a range within one region of RAM. Contents do not survive a change. */
static void change_ram(u64 base, u64 top, u8 state)
{
	while (base < top && *ripas_of(base) == state)
		base += GRANULE;
	while (base < top && *ripas_of(top - GRANULE) == state)
		top -= GRANULE;
	if (base == top)
		return;
	stage2_unmap(base, top);
	for (u64 at = base, end; at < top; at = end) {
		end = run_end(at, top);
		if (*ripas_of(at) != state)
			change_run(at, end, state);
	}
	stage2_map(base, top);
}

/* The first DESTROYED granule of a range within RAM, otherwise its end. */
static u64 first_destroyed(u64 base, u64 top)
{
	const u8 *state = ripas_of(base);

	while (base < top && *state != RIPAS_DESTROYED)
		base += GRANULE, state++;
	return base;
}

/*
 * Changes the state of [base, top) to EMPTY or RAM, from the bottom up. Returns where it stopped:
 * at an address without RAM that should become RAM, or at a DESTROYED granule that must stay.
 */
u64 ripas_change(u64 base, u64 top, u8 state, bool change_destroyed)
{
	bool is_ram;

	while (base < top) {
		u64 end = ram_run(base, top, &is_ram);

		if (is_ram) {
			u64 stop = change_destroyed ? end : first_destroyed(base, end);

			change_ram(base, stop, state);
			if (stop < end)
				return stop;
		} else if (state != RIPAS_EMPTY) {
			return base;
		}
		base = end;
	}
	return top;
}

/*
 * Whether stage 2 should map an address according to the rules; if not, why. The answer is yes for
 * a fault that raced with a change.
 */
bool access_allowed(u64 ipa, u8 *kind, u8 *state)
{
	bool is_ram, alias = ipa >= protected_end();
	u64 address = alias ? ipa - protected_end() : ipa;

	ram_run(address, address + 1, &is_ram);
	*state = is_ram ? *ripas_of(address & -GRANULE) : RIPAS_EMPTY;
	if (parameters.world == WORLD_NORMAL || (alias && !is_ram))
		*kind = ABORT_OUTSIDE;
	else if (!is_ram)
		*kind = ABORT_PROTECTED_DEVICE;
	else
		*kind = alias ? ABORT_ALIAS_OF_PRIVATE : ABORT_PROTECTED_NOT_RAM;
	return is_ram && *state == (alias ? RIPAS_EMPTY : RIPAS_RAM);
}
