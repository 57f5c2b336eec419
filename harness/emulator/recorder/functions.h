/* SPDX-License-Identifier: GPL-2.0-only */
/* The list of functions that the harness gives, by their link addresses. */
#ifndef PTDIFF_FUNCTIONS_H
#define PTDIFF_FUNCTIONS_H

#include "recorder.h"

enum role { ROLE_OPERATION, ROLE_SWITCH, ROLE_PGD_FREE };

enum { MOST_ARGUMENTS = 8 };

struct function {
	uint64_t link_address;
	uint32_t number; /* its line in the list, from 0 */
	uint8_t arguments;
	uint8_t results; /* 1 where it returns a value */
	uint8_t role;
	struct call *calls;
};

bool functions_open(const char *path);
struct function *function_at(uint64_t link_address);

#endif
