// SPDX-License-Identifier: GPL-2.0-only
/**
 * POSIX shell text that runs its arguments from the second on, and never lets them outlive the
 * harness. It must lead a process group of its own; host/process-group.ts is the other side of it.
 *
 * Its standard input is a pipe that the harness holds open. When the harness ends, however it ends,
 * the kernel closes the pipe, the read returns, and the whole process group is ended: SIGTERM, two
 * seconds, SIGKILL. The harness itself also ends the command by closing the pipe, so there is only
 * one way and every run exercises it. A line on the pipe starts the command; until then the shell
 * itself waits on the pipe, and from then on a watcher beside the command.
 *
 * Only the watcher holds file descriptor 3 open, which the harness reads. End of file means that
 * the watcher is gone; without it, nothing would end the command with the harness.
 *
 * The first argument is a file or folder that must not outlive the harness either, in case the
 * harness is killed before it can remove it. It may be created before the command starts, or by the
 * command.
 *
 * Its session is a scheduling group of its own (sched(7), autogroup), in which the niceness of the
 * harness would have no effect on other groups; therefore the group gets it.
 *
 * It writes `exit N` (N as the shell's $?) to standard output when the command ends. The last kill
 * includes the reader, so the shell itself always dies of SIGKILL.
 */
export const supervisorScript = `
exec 4<&0
trap : TERM
(
  read -r stat </proc/$$/stat
  set -- \${stat##*) }
  [ "\${17}" = 0 ] || echo "\${17}" >/proc/$$/autogroup
) 2>/dev/null
scratch=$1
shift
read -r line <&4 || {
  rm -rf "$scratch"
  exit
}
(
  trap : TERM
  read -r line <&4
  rm -rf "$scratch"
  kill -TERM 0
  sleep 2
  kill -KILL 0
) >/dev/null 2>&1 &
exec 3>&-
"$@" 4<&- </dev/null &
command=$!
while :; do
  wait "$command"
  status=$?
  kill -0 "$command" 2>/dev/null || break
done
echo "exit $status"
kill -KILL 0
`;
