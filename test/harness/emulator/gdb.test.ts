// SPDX-License-Identifier: GPL-2.0-only
import { once } from 'node:events';
import { type AddressInfo, connect, createServer } from 'node:net';
import t, { type Test } from 'tap';
import { GdbClient } from '../../../harness/emulator/gdb.ts';
import { framePacket, GdbPacketParser } from '../../../harness/emulator/gdb-packets.ts';

const description = `<target><feature name="org.gnu.gdb.aarch64.core">
<reg name="pc" bitsize="64" type="code_ptr" regnum="32"/></feature></target>`;
const entry = 0xffff_8000_8013_2548n;
const pcOf = (pc: bigint): string => {
  const bytes = Buffer.alloc(8);
  bytes.writeBigUInt64LE(pc);
  return bytes.toString('hex');
};

/** What QEMU 11.1.3 answered, `early` times, to the step of a CPU that it had not let step yet. */
async function client(t: Test, early: number): Promise<{ gdb: GdbClient; asked: string[] }> {
  const asked: string[] = [];
  let steps = 0;
  const answer = (body: string): string => {
    if (body.startsWith('qSupported')) return 'PacketSize=1000;qXfer:features:read+';
    if (body.startsWith('qXfer')) return `l${description}`;
    if (body.startsWith('vCont;s')) {
      steps++;
      return 'T05thread:02;';
    }
    return body.startsWith('p') ? pcOf(steps > early ? entry + 4n : entry) : 'OK';
  };
  const server = createServer((socket) => {
    const parser = new GdbPacketParser();
    socket.on('data', (chunk: Buffer) => {
      for (const item of parser.push(chunk)) {
        if (item.kind !== 'packet') continue;
        asked.push(item.body);
        socket.write(framePacket(answer(item.body)));
      }
    });
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const socket = connect((server.address() as AddressInfo).port, '127.0.0.1');
  await once(socket, 'connect');
  const gdb = await GdbClient.open(socket);
  t.teardown(() => {
    gdb.close();
    server.close();
  });
  return { gdb, asked };
}

t.test('a step that QEMU tells of before it is made is made again', async (t) => {
  const { gdb, asked } = await client(t, 2);
  await gdb.stepOver('02', entry);
  t.equal(asked.filter((body) => body === 'vCont;s:02').length, 3);
  t.match(asked.at(-1), /^Z0,/, 'the breakpoint is back when the CPU has left it');
});

t.test("a CPU that never leaves its breakpoint is the emulator's fault", async (t) => {
  const { gdb } = await client(t, Number.POSITIVE_INFINITY);
  await t.rejects(gdb.stepOver('02', entry), { fault: 'emulator', message: /CPU 02 leave/ });
});
