// SPDX-License-Identifier: GPL-2.0-only
import fc from 'fast-check';
import t from 'tap';
import {
  framePacket,
  type GdbItem,
  GdbPacketParser,
} from '../../../harness/emulator/gdb-packets.ts';

const bytes = (text: string) => Buffer.from(text, 'latin1');

function parseAll(chunks: Buffer[]): GdbItem[] {
  const parser = new GdbPacketParser();
  return chunks.flatMap((chunk) => parser.push(chunk));
}

t.test('frames a packet with its checksum', (t) => {
  t.equal(framePacket('OK'), '$OK#9a');
  t.equal(framePacket(''), '$#00');
  t.end();
});

t.test('reads packets however the stream is cut', (t) => {
  const body = fc.string({ unit: fc.constantFrom(...'0123456789abcdef;:.,T '), maxLength: 40 });
  const cuts = fc.array(fc.nat({ max: 400 }), { maxLength: 8 });
  fc.assert(
    fc.property(fc.array(body, { maxLength: 8 }), cuts, (bodies, cuts) => {
      const stream = bytes(bodies.map((body) => `+${framePacket(body)}`).join(''));
      const edges = [
        0,
        ...cuts.map((cut) => Math.min(cut, stream.length)).sort((a, b) => a - b),
        stream.length,
      ];
      const chunks = edges.slice(1).map((edge, index) => stream.subarray(edges[index], edge));
      const packets = parseAll(chunks).filter((item) => item.kind === 'packet');
      return JSON.stringify(packets.map((item) => item.body)) === JSON.stringify(bodies);
    }),
  );
  t.end();
});

t.test('tells damaged packets, and goes on behind them', (t) => {
  t.same(parseAll([bytes('$OK#9b$OK#9a')]), [{ kind: 'damaged' }, { kind: 'packet', body: 'OK' }]);
  t.same(parseAll([bytes('noise\x00-$OK#9A')]), [{ kind: 'nack' }, { kind: 'packet', body: 'OK' }]);
  t.end();
});

t.test('unescapes binary bodies after the checksum', (t) => {
  const raw = 'a}\x03b}]';
  const sum = [...raw].reduce((sum, character) => sum + character.charCodeAt(0), 0) & 0xff;
  t.same(parseAll([bytes(`$${raw}#${sum.toString(16)}`)]), [{ kind: 'packet', body: 'a#b}' }]);
  t.end();
});

t.test('does not keep a packet that never ends', (t) => {
  const parser = new GdbPacketParser();
  const piece = bytes(`$${'0'.repeat(1 << 19)}`);
  parser.push(piece);
  t.throws(() => [1, 2, 3].map(() => parser.push(bytes('0'.repeat(1 << 19)))), {
    name: 'PtdiffError',
    fault: 'emulator',
  });
  t.end();
});
