// SPDX-License-Identifier: GPL-2.0-only
/*
 * The Realm Services Interface, version 1.0 (DEN0137, "Realm Services Interface"): functions
 * 0xC4000190 to 0xC4000199. Arguments are in x1 to x10, results in x0 to x8. A refused call changes
 * nothing.
 */
#include "monitor.h"
#include "smccc.h"

#define RSI_FIRST 0xc4000190UL
#define RSI_VERSION 0
#define RSI_FEATURES 1
#define RSI_MEASUREMENT_READ 2
#define RSI_MEASUREMENT_EXTEND 3
#define RSI_ATTESTATION_TOKEN_INIT 4
#define RSI_ATTESTATION_TOKEN_CONTINUE 5
#define RSI_REALM_CONFIG 6
#define RSI_IPA_STATE_SET 7
#define RSI_IPA_STATE_GET 8
#define RSI_HOST_CALL 9

#define RSI_SUCCESS 0
#define RSI_ERROR_INPUT 1
#define RSI_ERROR_STATE 2
#define RSI_INCOMPLETE 3

#define ABI_VERSION 0x10000UL /* 1.0 */
#define RSI_ACCEPT 0
#define RSI_REJECT 1
#define CHANGE_DESTROYED 1UL
#define HASH_SHA256 0
#define MEASUREMENTS 5
#define MEASUREMENT_BYTES 64
#define HOST_CALL_ALIGNMENT 256

/* RsiRealmConfig: one granule. */
struct realm_config {
	u64 ipa_width;
	u8 hash_algorithm;
	u8 padding[0x200 - 9];
	u8 personalization[64];
	u8 rest[GRANULE - 0x240];
};
_Static_assert(sizeof(struct realm_config) == GRANULE, "RsiRealmConfig is one granule");

/* RsiHostCall. */
struct host_call {
	u64 immediate;
	u64 gprs[31];
};

/*
 * The guest's own page: aligned, protected and RAM. The monitor must not write anywhere else that
 * the guest's address leads to.
 */
static bool usable(u64 address, u64 alignment)
{
	bool is_ram;
	u64 granule = address & -GRANULE;

	if (address % alignment != 0 || !range_is_protected(granule, granule + GRANULE))
		return false;
	ram_run(granule, granule + GRANULE, &is_ram);
	return is_ram && *ripas_of(granule) == RIPAS_RAM;
}

/* Only 1.0 exists here, so it is both the lower and the higher revision, whatever was requested. */
static u64 version(u64 *x)
{
	u64 requested = x[1];

	x[1] = ABI_VERSION;
	x[2] = ABI_VERSION;
	return requested == ABI_VERSION ? RSI_SUCCESS : RSI_ERROR_INPUT;
}

/* RSI 1.0 defines no feature. */
static u64 features(u64 *x)
{
	x[1] = 0;
	return RSI_SUCCESS;
}

static u64 read_measurement(u64 *x)
{
	if (x[1] >= MEASUREMENTS)
		return RSI_ERROR_INPUT;
	measurement_read((u32)x[1], &x[1]);
	return RSI_SUCCESS;
}

static u64 extend_measurement(u64 *x)
{
	if (x[1] == 0 || x[1] >= MEASUREMENTS || x[2] > MEASUREMENT_BYTES)
		return RSI_ERROR_INPUT;
	measurement_extend((u32)x[1], (const u8 *)&x[3], (u32)x[2]);
	return RSI_SUCCESS;
}

static u64 begin_token(u64 *x)
{
	attestation_begin(this_cpu(), &x[1]);
	x[1] = GRANULE;
	return RSI_SUCCESS;
}

static u64 continue_token(u64 *x)
{
	u64 address = x[1], offset = x[2], size = x[3];

	if (!usable(address, GRANULE) || offset >= GRANULE || size > GRANULE - offset)
		return RSI_ERROR_INPUT;
	if (!attestation_pending(this_cpu()))
		return RSI_ERROR_STATE;
	x[1] = attestation_copy(this_cpu(), (u8 *)address + offset, size);
	return attestation_pending(this_cpu()) ? RSI_INCOMPLETE : RSI_SUCCESS;
}

static u64 realm_config(u64 *x)
{
	struct realm_config *config = (struct realm_config *)x[1];

	if (!usable(x[1], GRANULE))
		return RSI_ERROR_INPUT;
	memset(config, 0, sizeof(*config));
	config->ipa_width = report()->ipa_bits;
	config->hash_algorithm = HASH_SHA256;
	memcpy(config->personalization, parameters.personalization, sizeof(config->personalization));
	return RSI_SUCCESS;
}

/*
 * x1 base, x2 top, x3 RIPAS, x4 flags; the results are how far it got and the host's response. A
 * host that cannot give memory, or must keep a DESTROYED granule, rejects the rest.
 */
static u64 set_ipa_state(u64 *x)
{
	u64 base = x[1], top = x[2], state = x[3], step = parameters.ripas_step * GRANULE;

	if (base % GRANULE != 0 || top % GRANULE != 0 || !range_is_protected(base, top) || state > RIPAS_RAM)
		return RSI_ERROR_INPUT;
	if (step != 0 && top - base > step)
		top = base + step;
	x[1] = ripas_change(base, top, (u8)state, (x[4] & CHANGE_DESTROYED) != 0);
	x[2] = x[1] == base ? RSI_REJECT : RSI_ACCEPT;
	return RSI_SUCCESS;
}

static u64 get_ipa_state(u64 *x)
{
	u64 base = x[1], top = x[2];
	u8 state;

	if (base % GRANULE != 0 || top % GRANULE != 0 || !range_is_protected(base, top))
		return RSI_ERROR_INPUT;
	x[1] = ripas_state_run(base, top, &state);
	x[2] = state;
	return RSI_SUCCESS;
}

/* This host supports no calls. */
static u64 host_call(u64 *x)
{
	struct host_call *call = (struct host_call *)x[1];

	if (!usable(x[1], HOST_CALL_ALIGNMENT))
		return RSI_ERROR_INPUT;
	call->gprs[0] = NOT_SUPPORTED;
	return RSI_SUCCESS;
}

static u64 answer(u64 function, u64 *x)
{
	switch (function) {
	case RSI_VERSION:
		return version(x);
	case RSI_FEATURES:
		return features(x);
	case RSI_MEASUREMENT_READ:
		return read_measurement(x);
	case RSI_MEASUREMENT_EXTEND:
		return extend_measurement(x);
	case RSI_ATTESTATION_TOKEN_INIT:
		return begin_token(x);
	case RSI_ATTESTATION_TOKEN_CONTINUE:
		return continue_token(x);
	case RSI_REALM_CONFIG:
		return realm_config(x);
	case RSI_IPA_STATE_SET:
		return set_ipa_state(x);
	case RSI_IPA_STATE_GET:
		return get_ipa_state(x);
	default:
		return host_call(x);
	}
}

/* Returns whether the call belongs to RSI: in the normal world there is no RSI. */
bool rsi_call(struct frame *frame)
{
	u64 function = (frame->x[0] & 0xffffffff) - RSI_FIRST;

	if (parameters.world != WORLD_REALM || function >= RSI_FUNCTIONS)
		return false;
	report()->rsi_calls[function]++;
	frame->x[0] = answer(function, frame->x);
	if (frame->x[0] == RSI_ERROR_INPUT || frame->x[0] == RSI_ERROR_STATE)
		report()->rsi_refusals[function]++;
	return true;
}
