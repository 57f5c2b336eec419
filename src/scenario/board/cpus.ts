// SPDX-License-Identifier: GPL-2.0-only
import { expectedIdRegisters } from '../cpu-registers.ts';
import { isOfMax, cpus as listed, midrName } from '../cpus.ts';
import { bitRange, type IdRegisterName } from '../id-registers.ts';
import type { IdField, Machine } from '../types.ts';
import type { BoardFacts, Written } from './facts.ts';

type Registers = Readonly<Record<string, bigint>>;

/** A field that decides something about tables. */
interface Field {
  register: IdRegisterName;
  bits: string;
  name: string;
  /** The monitor can show more of it than the emulator has. */
  raises?: true;
  /** CPUs of one boot may differ in it (see schema.ts); late ones in the first alone. */
  perCpu?: true;
  /** Larger values mean the same as this one. */
  most?: number;
  /** 15 means less than 0. */
  signed?: true;
}

/** Fields that the model of the kernel reads, and the widths of addresses. */
const fields: readonly Field[] = [
  { register: 'ID_AA64MMFR2_EL1', bits: '55:52', name: 'BBM', raises: true, perCpu: true },
  { register: 'ID_AA64MMFR1_EL1', bits: '3:0', name: 'HAFDBS', perCpu: true },
  { register: 'ID_AA64PFR0_EL1', bits: '63:60', name: 'CSV3', most: 1, perCpu: true },
  { register: 'ID_AA64MMFR0_EL1', bits: '3:0', name: 'PARange' },
  { register: 'ID_AA64MMFR0_EL1', bits: '31:28', name: 'TGran4', signed: true },
  { register: 'ID_AA64MMFR0_EL1', bits: '27:24', name: 'TGran64', signed: true },
  { register: 'ID_AA64MMFR0_EL1', bits: '23:20', name: 'TGran16' },
  { register: 'ID_AA64MMFR2_EL1', bits: '19:16', name: 'VARange' },
  { register: 'ID_AA64MMFR2_EL1', bits: '63:60', name: 'E0PD' },
  { register: 'ID_AA64MMFR3_EL1', bits: '3:0', name: 'TCRX' },
  { register: 'ID_AA64MMFR3_EL1', bits: '11:8', name: 'S1PIE' },
  { register: 'ID_AA64PFR1_EL1', bits: '11:8', name: 'MTE' },
];

/** As many CPUs as a scenario may have; of a larger board it has one of each kind, and two. */
const mostCpus = 8;

function fieldOf(registers: Registers, { register, bits, most }: Field): number | undefined {
  const value = registers[register];
  if (value === undefined) return undefined;
  const { msb, lsb } = bitRange(bits);
  const field = Number((value >> BigInt(lsb)) & ((1n << BigInt(msb - lsb + 1)) - 1n));
  return most === undefined ? field : Math.min(field, most);
}

/** Whether a value of a field is more than another: something that an emulator cannot add. */
function isMore({ signed }: Field, one: number, other: number): boolean {
  const plain = (value: number): number => (signed && value === 15 ? -1 : value);
  return plain(one) > plain(other);
}

/** A CPU as the kernel uses it: with what its command line makes of its ID registers. */
export function seenRegisters(registers: Registers, overrides: BoardFacts['overrides']): Registers {
  const seen: Record<string, bigint> = { ...registers };
  for (const { register, value, mask } of overrides) {
    const own = seen[register];
    if (own !== undefined) seen[register] = (own & ~mask) | (value & mask);
  }
  return seen;
}

const midrOf = ({ MIDR_EL1 = 0n }: Registers): bigint => BigInt.asUintN(32, MIDR_EL1);

/** The listed CPU with a MIDR: QEMU's own model of it, if there is one and the board is uniform. */
function nameOf(midr: bigint, mayBeModel: boolean): string {
  const found = listed
    .filter((cpu) => cpu.midr === midr && cpu.bbm === undefined)
    .filter((each) => mayBeModel || isOfMax(each));
  return (found.find((each) => !isOfMax(each)) ?? found[0])?.name ?? midrName(midr);
}

/** The first CPU, one of each other kind, and then as many as there is room for. */
function chosen(cpus: readonly Registers[]): Registers[] {
  if (cpus.length <= mostCpus) return [...cpus];
  const kind = (registers: Registers): string =>
    [
      midrOf(registers),
      ...fields.filter(({ perCpu }) => perCpu).map((field) => fieldOf(registers, field)),
    ].join(' ');
  const kinds = [...Map.groupBy(cpus, kind).values()].flatMap((group) => group.slice(0, 1));
  const second = cpus[1];
  return (kinds.length === 1 && second ? [...kinds, second] : kinds).slice(0, mostCpus);
}

/** Numbers of CPUs by the value that they show in a field. */
function byValue(cpus: readonly Registers[], field: Field): Map<number, number[]> {
  const values = new Map<number, number[]>();
  for (const [number, registers] of cpus.entries()) {
    const value = fieldOf(registers, field);
    if (value !== undefined) values.set(value, [...(values.get(value) ?? []), number]);
  }
  return values;
}

/** The entries of idFields for one field. @param late only BBM may differ between the CPUs */
function entriesOf(
  field: Field,
  cpus: readonly Registers[],
  emulated: Registers,
  late: boolean,
): Written<IdField[]> {
  const { register, bits, name } = field;
  const values = byValue(cpus, field);
  const [own] = values.keys();
  const have = fieldOf(emulated, field);
  const mayDiffer = field.perCpu && !(late && name !== 'BBM');
  const wanted = mayDiffer ? [...values] : [...values].slice(0, 1);
  const changes: string[] = [];
  if (!mayDiffer && values.size > 1)
    changes.push(`Every CPU has the ${name} of the first one, ${own}: it may not differ here.`);
  if (wanted.length === 0)
    changes.push(`${name} (${register} ${bits}) is not known; the emulator's own is taken.`);
  const made = wanted.flatMap(([value, numbers]): IdField[] => {
    if (have === undefined || value === have) return [];
    if (isMore(field, value, have) && !field.raises) {
      changes.push(`${name} is ${have} and not ${value}: the emulator has no more.`);
      return [];
    }
    const isAll = wanted.length === 1;
    return [{ register, bits, value, ...(isAll ? {} : { cpus: numbers }) }];
  });
  return { made, changes };
}

type Cpus = Pick<Machine, 'cpu' | 'cpus' | 'others' | 'idFields' | 'late'>;

/**
 * The CPUs of a board: each by its MIDR_EL1 on an emulated CPU that has everything, and fields of ID
 * registers where that has more.
 * @param alone the boot brought up the first CPU alone
 */
export function cpusOf(
  { cpus, overrides }: Pick<BoardFacts, 'cpus' | 'overrides'>,
  alone: boolean,
): Written<Cpus> {
  const all = cpus.map(({ registers }) => seenRegisters(registers, overrides));
  const seen = chosen(all.length === 0 ? [{}] : all);
  const [first = {}] = seen;
  const isUniform = seen.every((registers) => midrOf(registers) === midrOf(first));
  const known = first.MIDR_EL1 !== undefined;
  const cpu = known ? nameOf(midrOf(first), isUniform) : 'max';
  const late = alone && seen.length > 1;
  const [emulated = {}] = expectedIdRegisters({
    ...{ cpu, cpus: 1, memory: 1024, holes: [], world: 'normal' },
  });
  const written = fields.map((field) => entriesOf(field, seen, emulated, late));
  const idFields = written.flatMap(({ made }) => made);
  return {
    made: {
      cpu,
      cpus: seen.length,
      ...(!isUniform && {
        others: seen.slice(1).map((registers) => nameOf(midrOf(registers), false)),
      }),
      ...(idFields.length > 0 && { idFields }),
      ...(late && { late }),
    },
    changes: [
      ...(known ? [] : ['No CPU of the board is known: the emulator shows one of its own.']),
      ...(all.length > seen.length
        ? [`${seen.length} CPUs stand for the ${all.length} of the board.`]
        : []),
      ...written.flatMap(({ changes }) => changes),
    ],
  };
}
