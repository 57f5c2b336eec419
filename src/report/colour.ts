/** Wraps text in a terminal's SGR sequence (ECMA-48 8.3.117), or leaves it as it is. */
export type Paint = (sgr: string, text: string) => string;

const plain: Paint = (_sgr, text) => text;
const coloured: Paint = (sgr, text) => (text === '' ? '' : `\u001b[${sgr}m${text}\u001b[0m`);

/** The painter for a stream: colours only where the user wants them. */
export function painter(colour: boolean): Paint {
  return colour ? coloured : plain;
}

/** Whether a stream gets colours: a terminal does, unless NO_COLOR is set to anything but the empty string (no-color.org). */
export function wantsColour(stream: { isTTY?: boolean }, environment: Record<string, string | undefined>): boolean {
  return stream.isTTY === true && !environment.NO_COLOR && environment.TERM !== 'dumb';
}
