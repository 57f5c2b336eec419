// SPDX-License-Identifier: GPL-2.0-only
/** A symbol for an image, at a distance from `_text`. */
export interface ImageSymbol {
  name: string;
  type: string;
  offset: number;
}

/**
 * How scripts/kallsyms.c wrote addresses: relative to a base up to 6.19, relative to the entry
 * itself from 7.0.
 */
export type AddressEncoding = 'base-relative' | 'pc-relative';

export const linkBase = 0xffff800080000000n;

/**
 * Builds bytes that look like an arm64 Image to kallsymsOfImage: pointers that tell the link
 * address, then the tables in the order of scripts/kallsyms.c. Written from its description, not
 * from the decoder: compression joins the first pairs of characters that it meets, which is poorer
 * than the real one's choice, but the same format.
 */
export function imageWithKallsyms(
  symbols: readonly ImageSymbol[],
  encoding: AddressEncoding,
): Uint8Array {
  const align = encoding === 'pc-relative' ? 4 : 8;
  const { tokens, encode } = compressor(symbols);
  const names: number[] = [];
  const markers: number[] = [];
  for (const [index, symbol] of symbols.entries()) {
    if (index % 256 === 0) markers.push(names.length);
    const code = encode(symbol.type + symbol.name);
    names.push(
      ...(code.length > 127 ? [(code.length & 127) | 128, code.length >> 7] : [code.length]),
      ...code,
    );
  }
  const image = new Bytes();
  for (let i = 0; i < 2000; i++) image.u64(linkBase + BigInt(i * 8));
  image.u32(symbols.length).align(align).bytes(names).align(align);
  for (const marker of markers) image.u32(marker);
  image.align(align);
  const tokenStarts: number[] = [];
  const tableAt = image.length;
  for (const token of tokens) {
    tokenStarts.push(image.length - tableAt);
    image.bytes([...token].map((character) => character.charCodeAt(0))).bytes([0]);
  }
  image.align(align);
  for (const start of tokenStarts) image.bytes([start & 255, start >> 8]);
  image.align(align);
  for (const { offset } of symbols)
    image.u32(encoding === 'pc-relative' ? offset - image.length : offset);
  return image
    .align(8)
    .u64(encoding === 'pc-relative' ? 0n : linkBase)
    .done();
}

/** 256 tokens: a character stands for itself, codes that no character uses stand for pairs. */
function compressor(symbols: readonly ImageSymbol[]): {
  tokens: string[];
  encode(text: string): number[];
} {
  const texts = symbols.map(({ type, name }) => type + name);
  const characters = new Set([...'0123456789', ...texts.join('')]);
  const pairs = new Set<string>();
  for (const text of texts) {
    for (let i = 0; i + 1 < text.length && pairs.size < 40; i += 2) pairs.add(text.slice(i, i + 2));
  }
  const spare = [...pairs];
  const tokens = Array.from({ length: 256 }, (_, code) =>
    characters.has(String.fromCharCode(code))
      ? String.fromCharCode(code)
      : (spare.shift() ?? 'unused'),
  );
  const codeOfPair = new Map(
    tokens.flatMap((token, code) => (token.length === 2 ? [[token, code] as const] : [])),
  );
  const encode = (text: string): number[] => {
    const code: number[] = [];
    for (let i = 0; i < text.length; i++) {
      const pair = codeOfPair.get(text.slice(i, i + 2));
      code.push(pair ?? text.charCodeAt(i));
      if (pair !== undefined) i++;
    }
    return code;
  };
  return { tokens, encode };
}

/** Little-endian bytes, one after the other. */
class Bytes {
  #bytes: number[] = [];

  get length(): number {
    return this.#bytes.length;
  }

  bytes(bytes: readonly number[]): this {
    for (const byte of bytes) this.#bytes.push(byte & 255);
    return this;
  }

  u32(value: number): this {
    return this.bytes([value, value >> 8, value >> 16, value >> 24]);
  }

  u64(value: bigint): this {
    return this.u32(Number(BigInt.asIntN(32, value))).u32(Number(BigInt.asIntN(32, value >> 32n)));
  }

  align(to: number): this {
    while (this.#bytes.length % to !== 0) this.#bytes.push(0);
    return this;
  }

  done(): Uint8Array {
    return Uint8Array.from(this.#bytes);
  }
}
