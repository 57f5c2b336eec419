// SPDX-License-Identifier: GPL-2.0-only
/** A named field of a system register: lowest bit and width in bits. */
interface RegisterField {
  name: string;
  low: number;
  width: number;
}

/** 'NAME:HIGH:LOW' or 'NAME:BIT', separated by blanks, in the order of the Arm ARM. */
function fields(text: string): RegisterField[] {
  return text.split(' ').map((item) => {
    const [name = '', high, low = high] = item.split(':');
    return { name, low: Number(low), width: Number(high) - Number(low) + 1 };
  });
}

function repeated(prefix: string, width: number): RegisterField[] {
  return Array.from({ length: 64 / width }, (_, index) => ({
    name: `${prefix}${index}`,
    low: index * width,
    width,
  }));
}

/** Layouts from DDI 0487 D24.2 (registers of the EL1&0 translation regime). */
const layouts: Record<string, RegisterField[]> = {
  TCR_EL1: fields(
    'T0SZ:5:0 EPD0:7 IRGN0:9:8 ORGN0:11:10 SH0:13:12 TG0:15:14 T1SZ:21:16 A1:22 EPD1:23 IRGN1:25:24 ORGN1:27:26 ' +
      'SH1:29:28 TG1:31:30 IPS:34:32 AS:36 TBI0:37 TBI1:38 HA:39 HD:40 HPD0:41 HPD1:42 HWU0:46:43 HWU1:50:47 TBID0:51 ' +
      'TBID1:52 NFD0:53 NFD1:54 E0PD0:55 E0PD1:56 TCMA0:57 TCMA1:58 DS:59 MTX0:60 MTX1:61',
  ),
  TCR2_EL1: fields(
    'PnCH:0 PIE:1 E0POE:2 POE:3 AIE:4 D128:5 PTTWI:10 HAFT:11 DisCH0:14 DisCH1:15 A2:16 FNG0:17 FNG1:18',
  ),
  SCTLR_EL1: fields(
    'M:0 A:1 C:2 SA:3 SA0:4 CP15BEN:5 nAA:6 ITD:7 SED:8 UMA:9 EnRCTX:10 EOS:11 I:12 EnDB:13 DZE:14 UCT:15 nTWI:16 ' +
      'nTWE:18 WXN:19 TSCXT:20 IESB:21 EIS:22 SPAN:23 E0E:24 EE:25 UCI:26 EnDA:27 nTLSMD:28 LSMAOE:29 EnIB:30 EnIA:31 ' +
      'CMOW:32 MSCEn:33 EnFPM:34 BT0:35 BT1:36 ITFSB:37 TCF0:39:38 TCF:41:40 ATA0:42 ATA:43 DSSBS:44 TWEDEn:45 ' +
      'TWEDEL:49:46 TMT0:50 TMT:51 TME0:52 TME:53 EnASR:54 EnAS0:55 EnALS:56 EPAN:57 TCSO0:58 TCSO:59 EnTP2:60 NMI:61 ' +
      'SPINTMASK:62 TIDCP:63',
  ),
  TTBR0_EL1: fields('CnP:0 BADDR:47:1 ASID:63:48'),
  TTBR1_EL1: fields('CnP:0 BADDR:47:1 ASID:63:48'),
  MAIR_EL1: repeated('Attr', 8),
  MAIR2_EL1: repeated('Attr', 8),
  PIR_EL1: repeated('Perm', 4),
  PIRE0_EL1: repeated('Perm', 4),
};

/** One field in which a register differs from the expected value. */
interface FieldDifference {
  field: string;
  expected: bigint;
  actual: bigint;
}

/**
 * Fields in which `actual` differs from `expected`, looking only at the bits in `mask`. Differing
 * bits that belong to no known field are named 'bit N'.
 */
export function differingFields(
  register: string,
  expected: bigint,
  actual: bigint,
  mask: bigint,
): FieldDifference[] {
  let left = (expected ^ actual) & mask;
  const differences: FieldDifference[] = [];
  for (const { name, low, width } of layouts[register] ?? []) {
    const field = ((1n << BigInt(width)) - 1n) << BigInt(low);
    if ((left & field) === 0n) continue;
    left &= ~field;
    const value = (of: bigint) => (of & mask & field) >> BigInt(low);
    differences.push({ field: name, expected: value(expected), actual: value(actual) });
  }
  for (let bit = 0n; left !== 0n; bit++, left >>= 1n) {
    if ((left & 1n) === 0n) continue;
    differences.push({
      field: `bit ${bit}`,
      expected: (expected >> bit) & 1n,
      actual: (actual >> bit) & 1n,
    });
  }
  return differences;
}
