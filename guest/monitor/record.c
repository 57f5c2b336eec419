// SPDX-License-Identifier: GPL-2.0-only
/* Writing the report. Callers hold the lock where several CPUs could write. */
#include "monitor.h"

struct report *report(void)
{
	return (struct report *)(monitor_start + REPORT_OFFSET);
}

void record_abort(const struct abort_record *record)
{
	struct abort_record *ring = (struct abort_record *)(monitor_start + ABORT_RING_OFFSET);
	u64 number = report()->aborts;
	struct abort_record *slot = &ring[number % ABORT_RECORDS];

	*slot = *record;
	slot->time = read_sysreg(cntpct_el0);
	slot->sequence = number + 1;
	report()->aborts = number + 1;
}

void record_call(const struct frame *before, const struct frame *after)
{
	struct call_record *ring = (struct call_record *)(monitor_start + CALL_RING_OFFSET);
	u64 number = report()->calls;
	struct call_record *slot = &ring[number % CALL_RECORDS];

	slot->sequence = 0;
	slot->time = read_sysreg(cntpct_el0);
	slot->function = before->x[0] & 0xffffffff;
	for (u32 i = 0; i < 4; i++)
		slot->argument[i] = before->x[1 + i];
	for (u32 i = 0; i < 3; i++)
		slot->result[i] = after->x[i];
	slot->elr = read_sysreg(elr_el2);
	slot->link = before->x[30];
	slot->frame_pointer = before->x[29];
	slot->cpu = this_cpu();
	slot->sequence = number + 1;
	report()->calls = number + 1;
}
