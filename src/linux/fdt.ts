// SPDX-License-Identifier: GPL-2.0-only
import { byteLength, concatenate } from '../bytes.ts';
import { PtdiffError } from '../errors.ts';

/** A property of a node; its value is as in the blob (numbers are big-endian). */
interface FdtProperty {
  name: string;
  value: Uint8Array;
}

export interface FdtNode {
  /** With unit address, e.g. 'memory@40000000'; '' for the root. */
  name: string;
  properties: FdtProperty[];
  children: FdtNode[];
}

/** A flattened device tree (Devicetree Specification 0.4, chapter 5), version 17. */
export interface DeviceTree {
  root: FdtNode;
  /** The memory reservation block. */
  reservations: { address: bigint; size: bigint }[];
  bootCpu: number;
}

const magic = 0xd00dfeed;
const version = 17;
const lastCompatibleVersion = 16;
const headerBytes = 40;
const tokens = { beginNode: 1, endNode: 2, property: 3, nop: 4, end: 9 };

/** @throws PtdiffError('emulator') when the bytes are not a device tree of version 17. */
export function parseFdt(blob: Uint8Array): DeviceTree {
  try {
    return new FdtReader(blob).read();
  } catch (error) {
    if (error instanceof RangeError) {
      throw new PtdiffError('emulator', "QEMU's device tree is cut short or damaged.", {
        cause: error,
      });
    }
    throw error;
  }
}

class FdtReader {
  readonly #bytes: Uint8Array;
  readonly #view: DataView;
  readonly #strings: number;
  #at: number;

  constructor(blob: Uint8Array) {
    this.#bytes = blob;
    this.#view = new DataView(blob.buffer, blob.byteOffset, blob.byteLength);
    if (this.#word(0) !== magic || this.#word(20) < lastCompatibleVersion) {
      throw new PtdiffError(
        'emulator',
        'QEMU wrote something that is no device tree of version 17.',
      );
    }
    this.#at = this.#word(8);
    this.#strings = this.#word(12);
  }

  read(): DeviceTree {
    const token = this.#next();
    if (token !== tokens.beginNode) {
      throw new RangeError(`token ${token} instead of the root`);
    }
    return { root: this.#node(), reservations: this.#reservations(), bootCpu: this.#word(28) };
  }

  /** The node whose begin token has just been read. */
  #node(): FdtNode {
    const node: FdtNode = { name: this.#string(this.#at), properties: [], children: [] };
    this.#at = align(this.#at + node.name.length + 1);
    for (;;) {
      const token = this.#next();
      if (token === tokens.endNode) {
        return node;
      }
      if (token === tokens.beginNode) {
        node.children.push(this.#node());
      } else if (token === tokens.property) {
        node.properties.push(this.#property());
      } else {
        throw new RangeError(`unexpected token ${token}`);
      }
    }
  }

  #property(): FdtProperty {
    const length = this.#word(this.#at);
    const name = this.#string(this.#strings + this.#word(this.#at + 4));
    const start = this.#at + 8;
    if (start + length > this.#bytes.length) {
      throw new RangeError('a property reaches over the end');
    }
    this.#at = align(start + length);
    return { name, value: this.#bytes.slice(start, start + length) };
  }

  #reservations(): DeviceTree['reservations'] {
    const list: DeviceTree['reservations'] = [];
    for (let at = this.#word(16); ; at += 16) {
      const [address, size] = [this.#view.getBigUint64(at), this.#view.getBigUint64(at + 8)];
      if (address === 0n && size === 0n) {
        return list;
      }
      list.push({ address, size });
    }
  }

  #next(): number {
    for (;;) {
      const token = this.#word(this.#at);
      this.#at += 4;
      if (token !== tokens.nop) {
        return token;
      }
    }
  }

  #word(at: number): number {
    return this.#view.getUint32(at);
  }

  #string(at: number): string {
    const end = this.#bytes.indexOf(0, at);
    if (end < 0) {
      throw new RangeError('a string without an end');
    }
    return new TextDecoder('latin1').decode(this.#bytes.subarray(at, end));
  }
}

/** Writes a device tree without spare room, so that the same tree always gives the same bytes. */
export function serialiseFdt(tree: DeviceTree): Uint8Array {
  const strings = new StringTable();
  const structure = [...nodeParts(tree.root, strings), words(tokens.end)];
  const reservations = [...tree.reservations, { address: 0n, size: 0n }].map(
    ({ address, size }) => {
      return fdtCells(address, size);
    },
  );
  const structureAt = headerBytes + reservations.length * 16;
  const structureBytes = byteLength(structure);
  const stringsAt = structureAt + structureBytes;
  const names = strings.bytes();
  const header = words(
    ...[
      magic,
      stringsAt + names.length,
      structureAt,
      stringsAt,
      headerBytes,
      version,
      lastCompatibleVersion,
    ],
    ...[tree.bootCpu, names.length, structureBytes],
  );
  return concatenate([header, ...reservations, ...structure, names]);
}

/** A list of 64-bit numbers as two cells each. */
export function fdtCells(...values: bigint[]): Uint8Array {
  return words(...values.flatMap((value) => [Number(value >> 32n), Number(value & 0xffffffffn)]));
}

/** A list of numbers as one cell each. */
export function words(...values: number[]): Uint8Array {
  const view = new DataView(new ArrayBuffer(values.length * 4));
  for (const [index, value] of values.entries()) {
    view.setUint32(index * 4, value);
  }
  return new Uint8Array(view.buffer);
}

/** Sets a property; replaces one with the same name. */
export function setProperty(node: FdtNode, name: string, value: Uint8Array): void {
  node.properties = [
    ...node.properties.filter((property) => property.name !== name),
    { name, value },
  ];
}

/** The child of that name; creates it if there is none. */
export function childNode(node: FdtNode, name: string): FdtNode {
  const found = node.children.find((child) => child.name === name);
  if (found) {
    return found;
  }
  const child: FdtNode = { name, properties: [], children: [] };
  node.children.push(child);
  return child;
}

function nodeParts(node: FdtNode, strings: StringTable): Uint8Array[] {
  return [
    words(tokens.beginNode),
    padded(latin1(`${node.name}\0`)),
    ...node.properties.flatMap(({ name, value }) => [
      words(tokens.property, value.length, strings.offset(name)),
      padded(value),
    ]),
    ...node.children.flatMap((child) => nodeParts(child, strings)),
    words(tokens.endNode),
  ];
}

class StringTable {
  readonly #offsets = new Map<string, number>();
  #text = '';

  offset(name: string): number {
    const known = this.#offsets.get(name);
    if (known !== undefined) {
      return known;
    }
    const offset = this.#text.length;
    this.#offsets.set(name, offset);
    this.#text += `${name}\0`;
    return offset;
  }

  bytes(): Uint8Array {
    return latin1(this.#text);
  }
}

function latin1(text: string): Uint8Array {
  return Uint8Array.from(text, (character) => character.charCodeAt(0));
}

function align(offset: number): number {
  return (offset + 3) & ~3;
}

function padded(bytes: Uint8Array): Uint8Array {
  const whole = new Uint8Array(align(bytes.length));
  whole.set(bytes);
  return whole;
}
