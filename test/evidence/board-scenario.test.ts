// SPDX-License-Identifier: GPL-2.0-only
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import t from 'tap';
import { parse } from 'yaml';
import { boardFactsOf, scenarioOf } from '../../src/evidence/board-scenario.ts';
import { readBoard } from '../../src/evidence/read-board.ts';
import { boardScenarioFile } from '../../src/report/board-scenario.ts';
import { boardScenario } from '../../src/scenario/board/scenario.ts';
import { cpuNamed } from '../../src/scenario/cpus.ts';
import { parseScenarios } from '../../src/scenario/schema.ts';
import { given } from '../given.ts';
import { membersOfTar } from '../harness/laboratory/boards/board-archive.ts';

const archive = join(import.meta.dirname, 'fixtures/board-7.3-max.tar.gz');
const board = readBoard(membersOfTar(gunzipSync(readFileSync(archive))));
const info = given(board.vmcoreinfo);

t.test('the archive of a guest gives the scenario that the guest was', async (t) => {
  const { made, changes } = boardScenario(boardFactsOf(board, info, 'guest'));
  t.same(made.machine, { cpu: 'max', cpus: 1, memory: 1024, holes: [], world: 'normal' });
  t.equal(made.kaslr, true);
  t.equal(made.rodata, 'default');
  t.match(made.parameters, ['cryptomgr.notests=1', /^initcall_blacklist=/]);
  t.match(changes.at(-1), /^Parameters left out: .*console/);
  t.notMatch(changes.join('\n'), /ttyAMA0/, 'no value of what is left out');
  const moved = boardScenario(boardFactsOf(board, info, 'guest', 0x4a20_0000)).changes;
  t.match(moved.join('\n'), /where it is at 0x4a200000/);
});

t.test('its file can be read, and names the command', async (t) => {
  const facts = boardFactsOf(board, info, 'a\u001b[31m b');
  const text = boardScenarioFile(facts, 'file:/tmp/an Image', 'runs/x y/scenario.yaml');
  t.same(parseScenarios(parse(text), 'scenario.yaml'), [boardScenario(facts).made]);
  t.match(text, "./ptdiff run --kernel 'file:/tmp/an Image' --scenario 'runs/x y/scenario.yaml'");
  t.notOk(text.includes('\u001b'), 'without control sequences');
});

t.test('CPUs that came up after the boot are late ones', async (t) => {
  const cpus = [0, 1].map((cpu) => ({ ...given(board.cpus[0]), cpu }));
  const late = { ...board, cpus, files: { ...board.files, '/proc/cmdline': 'maxcpus=1\n' } };
  t.match(boardScenario(boardFactsOf(late, info, 'guest')).made.machine, { cpus: 2, late: true });
  t.equal(cpuNamed(scenarioOf(late, info, 'guest').machine.cpu).midr, 0x000f0510n);
});
