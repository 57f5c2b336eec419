// SPDX-License-Identifier: GPL-2.0-only
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { gzipSync, zstdCompressSync } from 'node:zlib';
import t from 'tap';
import { checkImage } from '../../images/image-check.ts';
import { imageHeader } from '../../src/linux/image-header.ts';

/** The first KiB of Debian's Image of 7.3.4-1~bpo13+1, flavour arm64, which has 51642304 bytes. */
const recorded = readFileSync(join(import.meta.dirname, 'fixtures/image-header-7.3.4.bin'));
const recordedEnd = 51640832;

/** A file of that size, with that header and a banner; nothing else of an Image is looked at. */
function wholeImage(): Buffer {
  const bytes = Buffer.alloc(recordedEnd);
  recorded.copy(bytes);
  bytes.write(
    'Linux version %s (x)\0Linux version 7.3.4+deb13-arm64 (debian-kernel) #1 SMP\n\0',
    4096,
  );
  return bytes;
}

function elf(machine: number): Buffer {
  const bytes = Buffer.alloc(4096);
  bytes.write('\x7fELF\x02\x01\x01', 'latin1');
  bytes.writeUInt16LE(machine, 18);
  return bytes;
}

t.test('the header of a real Image', async (t) => {
  t.same(imageHeader(recorded), {
    textOffset: 0,
    imageSize: 52690944,
    granule: 4096,
    bigEndian: false,
    anywhere: true,
    fileSize: recordedEnd,
  });
  const header64k = Buffer.from(recorded);
  header64k.writeUInt8(header64k.readUInt8(0x18) | 6, 0x18);
  t.equal(imageHeader(header64k)?.granule, 65536);
  t.equal(imageHeader(recorded.subarray(0, 40)), undefined);
  t.equal(imageHeader(recorded.subarray(0, 64))?.fileSize, undefined);
});

t.test('a whole Image passes, plain or gzipped, with the release of its banner', async (t) => {
  const image = wholeImage();
  t.match(checkImage(image, 'Image'), { release: '7.3.4+deb13-arm64', unpacked: false });
  const unpacked = checkImage(gzipSync(image, { level: 1 }), 'Image.gz');
  t.equal(unpacked.unpacked, true);
  t.ok(unpacked.bytes.equals(image));
});

/**
 * The first KiB of vmlinuz.efi, by its compression: linux-source-7.3 7.3.4-1~bpo13+1 in ptdiff's own
 * configuration with CONFIG_EFI, CONFIG_EFI_ZBOOT, and CONFIG_KERNEL_GZIP or CONFIG_KERNEL_ZSTD;
 * `make vmlinuz.efi`.
 */
const efiHeader = (compression: 'gzip' | 'zstd'): Buffer =>
  readFileSync(join(import.meta.dirname, `fixtures/efi-zboot-header-7.3.4-${compression}.bin`));

/** An EFI image with such a header, and its payload where that says. */
function efiImage(payload: Buffer, compression: string): Buffer {
  const header = efiHeader(compression === 'gzip' ? 'gzip' : 'zstd');
  const code = Buffer.alloc(header.readUInt32LE(8) - header.length);
  header.writeUInt32LE(payload.length, 12);
  header.fill(0, 0x18, 0x38);
  header.write(compression, 0x18);
  // zstd and others have the unpacked size behind the payload.
  return Buffer.concat([header, code, payload, Buffer.alloc(4, 0xff)]);
}

t.test('the header of a real EFI image', async (t) => {
  for (const [compression, offset, bytes] of [
    ['gzip', 47032, 2114813],
    ['zstd', 97800, 1820499],
  ] as const) {
    const header = efiHeader(compression);
    t.same([header.readUInt32LE(8), header.readUInt32LE(12)], [offset, bytes]);
    t.throws(() => checkImage(header, 'vmlinuz.efi'), {
      fault: 'image',
      message: /compressed EFI image .* that is truncated or damaged/,
    });
  }
});

t.test('the EFI images of distributions are unpacked', async (t) => {
  const image = wholeImage();
  for (const [compression, payload] of [
    ['gzip', gzipSync(image, { level: 1 })],
    ['zstd', zstdCompressSync(image)],
    ['zstd22', zstdCompressSync(image)],
  ] as const) {
    const efi = efiImage(payload, compression);
    const { bytes, unpacked, release } = checkImage(efi, 'vmlinuz');
    t.ok(bytes.equals(image) && unpacked, compression);
    t.equal(release, '7.3.4+deb13-arm64');
    t.ok(checkImage(gzipSync(efi, { level: 1 }), 'vmlinuz').bytes.equals(image), 'in gzip');
  }
});

t.test('an Image in an EFI image is the one that was built, without its .bss', async (t) => {
  const image = wholeImage();
  const padded = Buffer.concat([image, Buffer.alloc(52690944 - recordedEnd)]);
  const unpacked = (bytes: Buffer) =>
    checkImage(efiImage(gzipSync(bytes), 'gzip'), 'vmlinuz').bytes;
  t.ok(unpacked(padded).equals(image));
  const signed = Buffer.concat([image, Buffer.alloc(1464, 1)]);
  t.ok(unpacked(signed).equals(signed), 'what is no padding is kept');
});

t.test('a release that is none is taken from the banner, as the last resort', async (t) => {
  const image = wholeImage();
  const at = image.indexOf('Linux version 7.3.4');
  image.write('Linux version next-20261128 (someone)\0', at);
  t.equal(checkImage(image, 'Image').release, 'next-20261128');
});

t.test('anything else is refused with a sentence that names it', async (t) => {
  const image = wholeImage();
  const refused: [string, Buffer, RegExp][] = [
    [
      'cut by one byte',
      image.subarray(0, -1),
      /^cut by one byte is truncated: .* 51640832 bytes and it has 51640831/,
    ],
    ['cut in the header', recorded, /truncated/],
    ['cut gzip', gzipSync(image, { level: 1 }).subarray(0, 20000), /gzip.*truncated or damaged/],
    ['padded', Buffer.concat([image, Buffer.alloc(2 ** 21)]), /more than the 52690944/],
    ['empty', Buffer.alloc(0), /empty file/],
    ['text', Buffer.from('hello'), /not an arm64 kernel Image/],
    ['vmlinux', elf(183), /ELF.*arch\/arm64\/boot\/Image/],
    ['x86 vmlinux', elf(62), /not for arm64/],
  ];
  const bzImage = Buffer.alloc(8192);
  bzImage.write('MZ');
  bzImage.write('HdrS', 0x202);
  refused.push(['bzImage', bzImage, /x86 kernel \(bzImage\)/]);
  const zboot = Buffer.alloc(8192);
  zboot.write('MZ\0\0zimg');
  zboot.write('gzip', 0x18);
  refused.push(['vmlinuz.efi', zboot, /CONFIG_EFI_ZBOOT.*arch\/arm64\/boot\/Image/]);
  const packed = gzipSync(image, { level: 1 });
  const whole = efiImage(packed, 'gzip');
  refused.push(
    ['xz', efiImage(packed, 'xzkern'), /'xzkern' cannot be unpacked here.*gzip, zstd/],
    ['a name', efiImage(packed, '__proto__'), /'__proto__' cannot be unpacked/],
    ['not zstd', efiImage(packed, 'zstd'), /compressed EFI image.*truncated or damaged/],
    ['cut payload', whole.subarray(0, whole.length - 100), /truncated or damaged/],
    ['only its start', whole.subarray(0, 40), /cut short/],
    ['an x86 kernel in it', efiImage(gzipSync(bzImage), 'gzip'), /x86 kernel/],
  );
  const noBanner = Buffer.from(image);
  noBanner.fill(0, 4096, 8192);
  refused.push(['other', noBanner, /no "Linux version" banner/]);
  const bigEndian = Buffer.from(image);
  bigEndian.writeUInt8(bigEndian.readUInt8(0x18) | 1, 0x18);
  refused.push(['be', bigEndian, /big-endian/]);
  for (const [name, bytes, message] of refused) {
    t.throws(() => checkImage(bytes, name), { fault: 'image', message }, name);
  }
});
