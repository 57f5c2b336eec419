// SPDX-License-Identifier: GPL-2.0-only
import t from 'tap';
import { PtdiffError } from '../../src/errors.ts';
import { checkConfigFile } from '../../src/linux/config-file.ts';
import { parseKconfig } from '../../src/linux/kconfig.ts';
import { readGolden } from '../model/golden.ts';

const { config } = readGolden('7.3.4+deb13-arm64@max+crashkernel.json.gz').question.traits;

/** What Debian's own file says of that kernel, as far as it is compared. */
const file = [
  ...['VA_BITS=52', 'PA_BITS=52', 'E0PD=y', 'HW_AFDBM=y', 'HAFT=y', 'MTE=y'].map(
    (option) => `CONFIG_ARM64_${option}`,
  ),
  ...[
    'KFENCE',
    'CRASH_RESERVE',
    'RANDOMIZE_BASE',
    'UNMAP_KERNEL_AT_EL0',
    'FUJITSU_ERRATUM_010001',
    'SECRETMEM',
    'HOTPLUG_CPU',
  ].map((option) => `CONFIG_${option}=y`),
  '# CONFIG_DEBUG_PAGEALLOC is not set',
].join('\n');

t.test('the configuration of the same build agrees with the Image', async () => {
  checkConfigFile(config, parseKconfig(file));
});

t.test('the configuration of another build is refused, with the option that differs', async (t) => {
  const refusal = (text: string): string => {
    try {
      checkConfigFile(config, parseKconfig(text));
    } catch (error) {
      if (error instanceof PtdiffError && error.fault === 'image') return error.message;
      throw error;
    }
    return 'it was taken';
  };
  t.match(
    refusal(file.replace('VA_BITS=52', 'VA_BITS=48')),
    /CONFIG_ARM64_VA_BITS=48, but the Image shows 52/,
  );
  t.match(
    refusal(file.replace('CONFIG_KFENCE=y', '# CONFIG_KFENCE is not set')),
    /CONFIG_KFENCE=n.*shows y/,
  );
  t.match(refusal(''), /does not belong to this kernel/);
});
