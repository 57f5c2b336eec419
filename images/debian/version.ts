// SPDX-License-Identifier: GPL-2.0-only
/**
 * Compares two Debian package versions as dpkg does (Debian Policy 5.6.12): epoch, then upstream
 * version, then revision, where `~` sorts before everything, even the end.
 * @returns negative, zero or positive, as for Array.sort
 */
export function compareVersions(a: string, b: string): number {
  const left = splitVersion(a);
  const right = splitVersion(b);
  return (
    left.epoch - right.epoch ||
    compareParts(left.upstream, right.upstream) ||
    compareParts(left.revision, right.revision)
  );
}

/** The upstream part of a package version: `1:11.1.3+ds-1~bpo13+1` gives `11.1.3+ds`. */
export function upstreamVersion(version: string): string {
  return splitVersion(version).upstream;
}

function splitVersion(version: string) {
  const colon = version.indexOf(':');
  const rest = version.slice(colon + 1);
  const dash = rest.lastIndexOf('-');
  return {
    epoch: colon < 0 ? 0 : Number(version.slice(0, colon)),
    upstream: dash < 0 ? rest : rest.slice(0, dash),
    revision: dash < 0 ? '' : rest.slice(dash + 1),
  };
}

function compareParts(a: string, b: string): number {
  const left: string[] = a.match(/\D+|\d+/g) ?? [];
  const right: string[] = b.match(/\D+|\d+/g) ?? [];
  // The policy alternates text and number, text first: a part that starts with a digit has empty
  // text before it.
  if (/^\d/.test(a)) left.unshift('');
  if (/^\d/.test(b)) right.unshift('');
  for (let i = 0; i < Math.max(left.length, right.length); i++) {
    const order =
      i % 2 === 0
        ? compareText(left[i] ?? '', right[i] ?? '')
        : Number(left[i] ?? 0) - Number(right[i] ?? 0);
    if (order !== 0) {
      return order;
    }
  }
  return 0;
}

function compareText(a: string, b: string): number {
  for (let i = 0; i < Math.max(a.length, b.length); i++) {
    const order = weight(a[i]) - weight(b[i]);
    if (order !== 0) {
      return order;
    }
  }
  return 0;
}

function weight(character: string | undefined): number {
  if (character === '~') return -1;
  if (character === undefined) return 0;
  return character.charCodeAt(0) + (/[A-Za-z]/.test(character) ? 0 : 256);
}
