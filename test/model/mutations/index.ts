// SPDX-License-Identifier: GPL-2.0-only
import { decisionMutations } from './decisions.ts';
import { mapMutations } from './map.ts';
import { rsiMutations } from './rsi.ts';

/** Every rule of the model that a golden boot must notice when it is broken. */
export const mutations = [...decisionMutations, ...mapMutations, ...rsiMutations];
