// SPDX-License-Identifier: GPL-2.0-only
/** How text is written to a stream. */
export interface Paint {
  /** Wraps text in a terminal's SGR sequence (ECMA-48 8.3.117), or leaves it unchanged. */
  (sgr: string, text: string): string;
  /** Maximum columns of a line; infinite where lines must not be broken. */
  readonly width: number;
}

/** What a stream looks like to its reader. */
export interface PaintOptions {
  colour: boolean;
  /** Columns; by default 100. */
  width?: number;
}

/** Width of a text when the reader's width is not known. */
export const usualWidth = 100;

/** No layout works with less. */
const leastWidth = 60;

/** The painter for a stream: colours only where the user wants them. */
export function painter({ colour, width = usualWidth }: PaintOptions): Paint {
  const paint = (sgr: string, text: string) =>
    !colour || text === '' ? text : `\u001b[${sgr}m${text}\u001b[0m`;
  return Object.assign(paint, { width });
}

/** Columns for a table: a pipe has no width, but a table needs one. */
export function tableWidth({ width }: Paint): number {
  return Number.isFinite(width) ? width : usualWidth;
}

/**
 * Whether a stream gets colours: a terminal does, unless NO_COLOR is set to anything but the empty
 * string (no-color.org).
 */
export function wantsColour(
  stream: { isTTY?: boolean },
  environment: Record<string, string | undefined>,
): boolean {
  return stream.isTTY === true && !environment.NO_COLOR && environment.TERM !== 'dumb';
}

/**
 * How to write to a stream: a terminal has its own width, at least 60 columns; output into a pipe
 * or a file is not wrapped.
 */
export function paintOptions(
  stream: { isTTY?: boolean; columns?: number },
  environment: Record<string, string | undefined>,
): Required<PaintOptions> {
  const width = stream.isTTY
    ? Math.max(leastWidth, stream.columns ?? usualWidth)
    : Number.POSITIVE_INFINITY;
  return { colour: wantsColour(stream, environment), width };
}
