// SPDX-License-Identifier: GPL-2.0-only
import t from 'tap';
import { rules } from './rules.ts';

for (const { name, holds } of rules) t.ok(holds(), name);
