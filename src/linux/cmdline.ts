/**
 * Values of the words NAME=VALUE among parameters, in order: what an early_param() function of the kernel is called with, once for each, so
 * that it is for the caller to say which counts. In names '-' and '_' are the same (parameq() of kernel/params.c).
 */
export function valuesOf(parameters: readonly string[], name: string): string[] {
  const wanted = `${name.replaceAll('-', '_')}=`;
  return parameters
    .filter((word) => word.slice(0, wanted.length).replaceAll('-', '_') === wanted)
    .map((word) => word.slice(wanted.length));
}

/** What the last of them says that kstrtobool() takes; undefined without one. */
export function lastBoolean(parameters: readonly string[], name: string): boolean | undefined {
  return valuesOf(parameters, name)
    .map(kstrtobool)
    .filter((value) => value !== undefined)
    .at(-1);
}

/** kstrtobool() of lib/kstrtox.c: decided by the first letter, or by the second after an 'o'; undefined where the kernel refuses the value. */
function kstrtobool(value: string): boolean | undefined {
  if (/^([yt1]|on)/i.test(value)) return true;
  if (/^([nf0]|of)/i.test(value)) return false;
  return undefined;
}
