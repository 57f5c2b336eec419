/** One CPU of /proc/cpuinfo on arm64. */
export interface CpuInfo {
  /** The kernel's number of the CPU. */
  processor: number;
  /** hwcap names, e.g. 'bti'. */
  features: string[];
  implementer: number;
  variant: number;
  part: number;
  revision: number;
  /** MIDR_EL1 put together from these fields (Arm ARM, MIDR_EL1); the architecture field is 0xf from Armv7 on. */
  midr: number;
}

/** Parses /proc/cpuinfo (arch/arm64/kernel/cpuinfo.c, c_show()). A CPU that lacks its number is left out; a missing field is 0. */
export function parseCpuinfo(text: string): CpuInfo[] {
  return text
    .split(/\n\s*\n/)
    .map(fieldsOf)
    .filter((fields) => /^\d{1,6}$/.test(fields.get('processor') ?? ''))
    .map(cpuOf);
}

function fieldsOf(block: string): Map<string, string> {
  const lines = [...block.matchAll(/^([^\t:]+?)[ \t]*:[ \t]*(.*)$/gm)];
  return new Map(lines.map((match) => [match[1], match[2].trim()]));
}

function cpuOf(fields: Map<string, string>): CpuInfo {
  const number = (name: string, bits: number): number => {
    const value = Number(fields.get(name) ?? 0);
    return Number.isInteger(value) && value >= 0 && value < 2 ** bits ? value : 0;
  };
  const implementer = number('CPU implementer', 8);
  const variant = number('CPU variant', 4);
  const part = number('CPU part', 12);
  const revision = number('CPU revision', 4);
  return {
    processor: Number(fields.get('processor')),
    features: (fields.get('Features') ?? '').split(' ').filter((name) => name !== ''),
    implementer,
    variant,
    part,
    revision,
    midr: ((implementer << 24) | (variant << 20) | (0xf << 16) | (part << 4) | revision) >>> 0,
  };
}
