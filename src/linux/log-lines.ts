// SPDX-License-Identifier: GPL-2.0-only
/** A line of a kernel log without printk's prefixes. */
interface LogLine {
  /** The message, cut to a bounded length. */
  text: string;
  /** Who printed it, 'T12' or 'C0', where CONFIG_PRINTK_CALLER is on; otherwise ''. */
  caller: string;
}

/**
 * printk limits a message to 1024 bytes (PRINTK_MESSAGE_MAX 2048 with prefixes); a longer line is
 * noise.
 */
const maxLineLength = 1024;

/**
 * Parses a kernel log, from the console or from syslog(2). The level ("<4>"), time and caller
 * before a message are optional, since boot parameters switch each of them on and off.
 */
export function* logLines(log: string): Generator<LogLine> {
  for (let from = 0; from < log.length; ) {
    const newline = log.indexOf('\n', from);
    const end = newline === -1 ? log.length : newline;
    const line = log.slice(from, Math.min(end, from + maxLineLength)).trimEnd();
    const match = /^(?:<\d{1,3}>)?(?:\[ *\d+\.\d{6}\])?(?:\[ *([TC]\d+)[^\]]{0,32}\])? ?/.exec(
      line,
    );
    yield { text: match ? line.slice(match[0].length) : line, caller: match?.[1] ?? '' };
    from = end + 1;
  }
}
