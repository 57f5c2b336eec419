/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef PTDIFF_BOARD_H
#define PTDIFF_BOARD_H

#include <stdbool.h>

/*
 * Runs /collect, as on a live machine (guest/collect), and sends the archive that it leaves as the
 * file `board.tar.gz`. A busy board has churn.h going on meanwhile.
 */
void board_send(bool busy);

#endif
