// SPDX-License-Identifier: GPL-2.0-only
import { predict } from '../../src/model/predict.ts';
import type { Question } from '../../src/model/question.ts';
import { builtInScenarios } from '../../src/scenario/built-in.ts';
import { kernelParameters } from '../../src/scenario/command-line.ts';
import { identitiesOf } from '../../src/scenario/cpus.ts';
import { idOverrides, shownIdRegisters } from '../../src/scenario/id-overrides.ts';
import { probesOf, type Scenario } from '../../src/scenario/types.ts';
import { stableJson } from '../../src/stable-json.ts';
import { given } from '../given.ts';
import { type GoldenBoot, questionOfGolden, sharedGolden } from '../model/golden.ts';

/*
 * What the model says of any scenario on any generation, without a boot: the kernels, their CPUs'
 * registers and what realms ask of them are those of recorded boots; where a boot would put a pool
 * or a page is any place.
 */

const recordedBoot = (name: string): GoldenBoot => sharedGolden(`${name}.json.gz`);

/** A kernel, and what realms asked of it in the recorded boot of one. */
const recorded: Record<string, { kernel: string; realm?: string }> = {
  '6.12': { kernel: '6.12.107+deb13-arm64@a64fx' },
  '6.17': {
    kernel: '6.17.13+deb13-arm64@neoverse-v3-r0p1+noalias',
    realm: '6.17.13+deb13-arm64@realm-late-rsi',
  },
  '6.18': {
    kernel: '6.18.15+deb13-arm64@neoverse-v3-r0p2',
    realm: '6.18.15+deb13-arm64@realm+neoverse-v3-r0p2+then-max',
  },
  '7.0': {
    kernel: '7.0.13+deb13-arm64@neoverse-v3-r0p2+kfence100',
    realm: '7.0.13+deb13-arm64@realm-early-share',
  },
  '7.2': {
    kernel: '7.2.13+deb14-arm64@neoverse-v3-r0p2',
    realm: '7.2.13+deb14-arm64@realm+neoverse-v3-r0p2+console',
  },
  '7.3': {
    kernel: '7.3.4+deb13-arm64@neoverse-v3-r0p2+noalias',
    realm: '7.3.4+deb13-arm64@realm+neoverse-v3-r0p2+then-max',
  },
  '6.12 with debug_pagealloc': { kernel: '6.12.107-debug_pagealloc@max+pagealloc+kpti' },
  '6.18 with debug_pagealloc': {
    kernel: '6.18.15-debug_pagealloc-crash-virtio@max+pagealloc',
    realm: '6.18.15+deb13-arm64@realm+neoverse-v3-r0p2+then-max',
  },
  '7.3 with debug_pagealloc': {
    kernel: '7.3.4-va48-debug_pagealloc-crash-virtio@max+noalias+kfence100+pagealloc',
    realm: '7.3.4+deb13-arm64@realm+neoverse-v3-r0p2+then-max',
  },
};

/** Kernels of every generation, and those of some that have debug_pagealloc. */
export const generations: readonly string[] = Object.keys(recorded);

/** ID registers of a QEMU model, from a recorded boot on it. */
const registersOf: Record<string, string> = {
  'cortex-a76': '7.3.4+deb13-arm64@cortex-a76+kaslr',
  'neoverse-n2': '7.3.4+deb13-arm64@neoverse-n2+off',
  'cortex-a57': '7.3.4+deb13-arm64@realm+cortex-a57',
  'neoverse-n1': '7.3.4+deb13-arm64@realm+neoverse-n1',
  'cortex-a35': '7.3.4+deb13-arm64@cortex-a35+kaslr',
  'cortex-a53': '7.3.4+deb13-arm64@cortex-a53+kaslr',
  'cortex-a55': '7.3.4+deb13-arm64@cortex-a55+kaslr',
  'cortex-a72': '7.3.4+deb13-arm64@cortex-a72+kaslr',
  'cortex-a710': '7.3.4+deb13-arm64@cortex-a710+kaslr',
  'neoverse-v1': '7.3.4+deb13-arm64@neoverse-v1+kaslr',
  a64fx: '6.12.107+deb13-arm64@a64fx',
  max: '7.3.4+deb13-arm64@max+noalias',
};

function idRegistersOf({ machine }: Scenario): Record<string, bigint>[] {
  const own = identitiesOf(machine).map(({ qemu, midr }) => {
    const { question } = recordedBoot(given(registersOf[given(qemu.split(',')[0])]));
    return { ...question.facts.idRegisters[0], MIDR_EL1: midr };
  });
  return shownIdRegisters(own, idOverrides(machine));
}

/** Traits of the kernel of a generation. */
export function traitsOfGeneration(generation: string): Question['traits'] {
  return recordedBoot(given(recorded[generation]).kernel).question.traits;
}

const MiB = 2 ** 20;
const ram = 0x4000_0000;
const pieces = (start: number, bytes: number) => [{ start: ram + start, end: ram + start + bytes }];

/** What the model is asked for a scenario on a generation. */
export function asked(generation: string, scenario: Scenario): Question {
  const { kernel, realm } = given(recorded[generation]);
  const own = questionOfGolden(recordedBoot(kernel));
  const other = realm === undefined ? undefined : recordedBoot(realm).question.facts;
  const { machine } = scenario;
  const inRealm = machine.world === 'realm' && other;
  const linear = linearStart(own);
  const request = {
    start: linear + BigInt(150 * MiB + 4096),
    end: linear + BigInt(150 * MiB + 8192),
  };
  return {
    ...own,
    // What decides depends on no size: the least that the scenario's memory can be.
    machine: {
      ...machine,
      memory: machine.holes.length > 0 || machine.nodes ? machine.memory : 256,
    },
    parameters: kernelParameters(scenario, own.traits),
    kaslr: scenario.kaslr,
    probes: probesOf(scenario),
    facts: {
      idRegisters: idRegistersOf(scenario),
      image: own.facts.image,
      kfencePool: ram + 200 * MiB,
      crashKernel: ram + 128 * MiB,
      ...(own.traits.randomLinearMap && scenario.kaslr && { memstartAddr: memstartOf(scenario) }),
      readOnlyVmalloc: { init: pieces(160 * MiB + 4096, 8192) },
      freePages: {
        free_initmem: pieces(170 * MiB, 64 * 1024),
        init: pieces(170 * MiB, 128 * 1024),
      },
      freeAtKpti: pieces(170 * MiB, 32 * 1024),
      splitRequests: [{ ...request, before: 'free_initmem' }],
      sharing: inRealm ? inRealm.sharing : [],
      ...(inRealm && inRealm.ipaBits !== undefined && { ipaBits: inRealm.ipaBits }),
      probePages: [ram + 180 * MiB + 4096],
    },
  };
}

/**
 * Where a kernel that randomises it put the start of memory, on a CPU with 48 bits of virtual
 * addresses or 52.
 */
function memstartOf({ machine }: Scenario): bigint {
  const name = machine.cpu === 'max' ? 'monitor+max+kaslr+no-e0pd' : 'cortex-a76+kaslr';
  const { memstartAddr } = recordedBoot(`6.12.107+deb13-arm64@${name}`).question.facts;
  if (memstartAddr === undefined) throw new Error(`no memstart_addr is recorded with ${name}`);
  return memstartAddr;
}

const starts = new Map<string, bigint>();

/** First linear address of a kernel's recorded boot. */
function linearStart(question: Question): bigint {
  const key = stableJson(question.traits);
  const start = starts.get(key) ?? predict(question).linearRegion.start;
  starts.set(key, start);
  return start;
}

/** Everything that a boot would show: not how it was derived. */
export function shown(question: Question) {
  const { checkpoints, probes, complaints, linearRegion } = predict(question);
  return { checkpoints, probes, complaints, linearRegion };
}

export function scenarioNamed(name: string): Scenario {
  const found = builtInScenarios.find((scenario) => scenario.name === name);
  if (!found) throw new Error(`there is no scenario ${name}`);
  return found;
}
