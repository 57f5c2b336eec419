/** One word of a kernel command line. */
export interface CommandLineWord {
  name: string;
  /** Text behind the first '='; undefined where there is none. */
  value: string | undefined;
}

/** A kernel command line taken apart. */
export interface CommandLine {
  /** Words for the kernel, in order: of a repeated parameter the last one usually wins. */
  parameters: CommandLineWord[];
  /** Words behind "--": arguments of init. */
  initArguments: string[];
}

/**
 * Takes a command line apart as the kernel does (lib/cmdline.c, next_arg(); kernel/params.c, parse_args()): white space separates, double
 * quotes protect it and may enclose a whole word or a value, and "--" ends the kernel's part.
 */
export function parseCommandLine(text: string): CommandLine {
  const words = splitWords(text);
  const end = words.indexOf('--');
  const kernelWords = end === -1 ? words : words.slice(0, end);
  return {
    parameters: kernelWords.map(parseWord),
    initArguments: end === -1 ? [] : words.slice(end + 1),
  };
}

/**
 * Values of a parameter, in order; a word without '=' gives ''. Names compare as in kernel/params.c: '-' and '_' are the same.
 */
export function parameterValues(line: CommandLine, name: string): string[] {
  const wanted = name.replaceAll('-', '_');
  return line.parameters.filter((word) => word.name.replaceAll('-', '_') === wanted).map((word) => word.value ?? '');
}

/**
 * Values of the words NAME=VALUE among parameters, in order: what an early_param() function of the kernel is called with, once for each, so
 * that it is for the caller to say which counts.
 */
export function valuesOf(parameters: readonly string[], name: string): string[] {
  return parameters.filter((word) => word.startsWith(`${name}=`)).map((word) => word.slice(name.length + 1));
}

/** What the last of them says that kstrtobool() takes; undefined without one. */
export function lastBoolean(parameters: readonly string[], name: string): boolean | undefined {
  return valuesOf(parameters, name)
    .map(kstrtobool)
    .filter((value) => value !== undefined)
    .at(-1);
}

function splitWords(text: string): string[] {
  const words: string[] = [];
  let word = '';
  let quoted = false;
  for (const character of text) {
    if (character === '"') quoted = !quoted;
    if (!quoted && /[ \t\n\v\f\r]/.test(character)) {
      if (word !== '') words.push(word);
      word = '';
    } else {
      word += character;
    }
  }
  if (word !== '') words.push(word);
  return words;
}

function parseWord(word: string): CommandLineWord {
  // Quotes around the whole word: the '=' inside still separates.
  const bare = word.startsWith('"') ? word.slice(1).replace(/"$/, '') : word;
  const equals = bare.indexOf('=');
  if (equals <= 0) return { name: bare, value: undefined };
  return { name: bare.slice(0, equals), value: bare.slice(equals + 1).replace(/^"(.*?)"?$/, '$1') };
}

/** kstrtobool() of lib/kstrtox.c: decided by the first letter, or by the second after an 'o'; undefined where the kernel refuses the value. */
function kstrtobool(value: string): boolean | undefined {
  if (/^([yt1]|on)/i.test(value)) return true;
  if (/^([nf0]|of)/i.test(value)) return false;
  return undefined;
}
