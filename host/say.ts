// SPDX-License-Identifier: GPL-2.0-only
const onStderr = (text: string): void => void process.stderr.write(text);

let write = onStderr;

/**
 * Prints a line for the user about work in progress; results go to stdout, everything else goes
 * here.
 */
export function say(line: string): void {
  write(`ptdiff: ${line}\n`);
}

/**
 * Has somebody else print what is said: whoever keeps a line at the bottom of the terminal. Until
 * the returned function is called.
 */
export function divertSpeech(to: (text: string) => void): () => void {
  write = to;
  return () => {
    write = onStderr;
  };
}
