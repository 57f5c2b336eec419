// SPDX-License-Identifier: GPL-2.0-only
/** A guest with Debian's kernel and Debian's own user space, reached by SSH like any board. */

import { lstat, readdir, readFile, readlink, writeFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { execa } from 'execa';
import { type CpioEntry, writeCpio } from '../../guest/cpio.ts';
import { freePort } from '../../harness/laboratory/farm/engine.ts';
import { sha256 } from '../../host/cache.ts';
import { ensureLists } from '../../images/debian/apt.ts';
import { openKernelArchive } from '../../images/debian/kernel-catalogue.ts';
import { debianModules } from '../../images/debian/modules.ts';
import { packageClosure } from '../../images/debian/package-closure.ts';
import { packagedEmulator } from '../../images/emulator/emulator.ts';
import { resolveKernel } from '../../images/kernels.ts';
import { toolPrefix } from '../../images/toolchain/tool-prefix.ts';
import { deviceModules, modulesFor } from '../../src/scenario/devices.ts';

const packages = ['openssh-server', 'sudo', 'bash', 'coreutils', 'mount', 'kmod', 'busybox-static'];

/** What no program needs, and half of the tree. */
const unused = /^(\.|usr\/share\/(doc|man|locale|info|lintian|perl5?)\/)/;

/** Milliseconds until the SSH server listens, on a host with few CPUs. */
const patience = 600_000;

interface DebianBoard {
  /** TCP port of its SSH server on the host's loopback. */
  port: number;
  /** All that it has said on its console. */
  console(): string;
}

async function entriesOf(tree: string): Promise<CpioEntry[]> {
  const paths = (await readdir(tree, { recursive: true })).sort();
  const kept = paths.filter((path) => !unused.test(path));
  return Promise.all(
    kept.map(async (path): Promise<CpioEntry> => {
      const file = join(tree, path);
      const found = await lstat(file);
      const mode = found.mode & 0o777;
      if (found.isSymbolicLink())
        return { kind: 'symbolic-link', path, mode, target: await readlink(file) };
      return found.isDirectory()
        ? { kind: 'directory', path, mode }
        : { kind: 'file', path, mode, content: await readFile(file) };
    }),
  );
}

/** Another list of packages is another user space in the cache. */
async function userSpace(): Promise<CpioEntry[]> {
  const name = `debian-board-${sha256(packages.join(' ')).slice(0, 8)}`;
  const plan = async () => {
    const archive = await openKernelArchive({});
    await ensureLists(archive, {});
    const closure = await packageClosure(archive, packages, 'trixie');
    return { parts: [{ archive, packages: closure }], notes: [] };
  };
  return entriesOf((await toolPrefix(name, plan, {})).tree);
}

const fileEntry = (path: string, content: Uint8Array, mode = 0o644): CpioEntry => ({
  ...{ kind: 'file', path, mode, content },
});

/**
 * Boots a Debian kernel with Debian's user space as its initramfs, and ends it after `use`.
 * @param spec of a kernel of Debian's
 * @param directory for the initramfs
 * @param key public part of the key that lets `user` in
 */
export async function withDebianBoard(
  spec: string,
  { directory, key }: { directory: string; key: string },
  use: (board: DebianBoard) => Promise<void>,
): Promise<void> {
  const kernel = await resolveKernel(spec);
  const wanted = modulesFor(['virtio-net'], []);
  const modules = await debianModules(kernel, wanted, { others: deviceModules });
  const names = modules.map((path) => basename(path)).join(' ');
  const init = await readFile(join(import.meta.dirname, 'debian-board', 'init'));
  const initramfs = join(directory, 'initramfs.cpio');
  const entries: CpioEntry[] = [
    ...(await userSpace()),
    fileEntry('init', init, 0o755),
    fileEntry('authorized_keys', Buffer.from(key)),
    { kind: 'directory', path: 'modules', mode: 0o755 },
    fileEntry('modules/list', Buffer.from(names)),
    ...(await Promise.all(
      modules.map(async (path) => fileEntry(`modules/${basename(path)}`, await readFile(path))),
    )),
  ];
  await writeFile(initramfs, writeCpio(entries));
  const port = await freePort();
  const [program = '', ...rest] = (await packagedEmulator()).command;
  const machine = execa(
    program,
    [
      ...rest,
      ...['-machine', 'virt,gic-version=3', '-cpu', 'cortex-a76', '-smp', '2', '-m', '1024M'],
      ...['-display', 'none', '-monitor', 'none', '-serial', 'stdio', '-no-reboot'],
      ...['-kernel', kernel.imagePath, '-initrd', initramfs],
      ...['-append', 'console=ttyAMA0 panic=-1'],
      ...['-netdev', `user,id=net,restrict=on,hostfwd=tcp:127.0.0.1:${port}-:22`],
      ...['-device', 'virtio-net-pci,netdev=net,romfile='],
    ],
    { stdin: 'ignore', reject: false },
  );
  let said = '';
  const listens = new Promise<void>((resolve, reject) => {
    const fail = (why: string) => reject(new Error(`${why}:\n${said.slice(-3000)}`));
    machine.stdout.on('data', (text) => {
      said += text;
      if (said.includes('Server listening on 0.0.0.0 port 22')) resolve();
    });
    machine.then(({ message, stderr }) => fail(`The guest ended: ${message} ${stderr}`));
    setTimeout(() => fail('Nobody listens in the guest'), patience).unref();
  });
  try {
    await listens;
    await use({ port, console: () => said });
  } finally {
    machine.kill('SIGKILL');
    await machine;
  }
}
