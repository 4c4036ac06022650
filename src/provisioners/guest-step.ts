import { quoteForShell } from '../communicators/quoting.ts';
import { parseInterpreter } from './script.ts';

/** What runs in the guest. */
export interface GuestStep {
  readonly script: Uint8Array;
  readonly args: readonly string[];
  readonly environment: Readonly<Record<string, string>>;
}

/**
 * Runs a step in the guest: a program for any POSIX shell, the same for every step. Standard input carries what differs
 * (see `guestStepInput`), so that nothing of it shows in the list of processes, and stays open while the step runs: its
 * end means that the host has gone away, and the step is stopped, so that the next `up` does not run beside it.
 *
 * - The files are only for the user the step runs as. They are in memory where /dev/shm has room for them, since other
 *   machines may be made from the disk. The interpreter is named, because either place may be noexec.
 * - The step has a session of its own: everything it starts is stopped with it.
 * - Variables have a prefix, since those of the login are passed on to the step.
 */
export const RUN_STEP = `
vm_umask=$(umask)
umask 077
vm_newline='
'

vm_step= vm_signalled=
# Its process group; or only itself, when it does not have one yet.
vm_kill() {
  kill "$1" "-$vm_step" 2>/dev/null || kill "$1" "$vm_step" 2>/dev/null
}
trap 'vm_signalled=1; [ -z "$vm_step" ] || vm_kill -TERM' HUP INT TERM

vm_make_shm_dir() {
  grep -q '^[^ ]* /dev/shm tmpfs ' /proc/mounts || return
  df -Pk /dev/shm | {
    read -r vm_rest
    read -r vm_rest vm_rest vm_rest vm_free_kib vm_rest
    [ "$vm_free_kib" -gt $((vm_script_bytes / 1024 + 64)) ]
  } || return
  mktemp -d /dev/shm/vm.XXXXXX
}

read -r vm_script_bytes || exit 125
IFS= read -r vm_setup || exit 125
trap 'rm -rf "$vm_dir"' EXIT
vm_dir=$(vm_make_shm_dir 2>/dev/null) || vm_dir=$(mktemp -d) || exit 125
head -c "$vm_script_bytes" >"$vm_dir/script" || exit 125
# Half a script must not run: the connection may have broken.
[ "$(wc -c <"$vm_dir/script")" -eq "$vm_script_bytes" ] || exit 125
[ -z "$vm_signalled" ] || exit 125

vm_shell=sh
if command -v bash >/dev/null; then vm_shell=bash; fi
exec 3<&0 </dev/null
(
  umask "$vm_umask"
  eval "$vm_setup"
  exec setsid "$@"
) 3<&- &
vm_step=$!

(
  trap '' HUP INT TERM
  while read -r vm_rest; do :; done
  vm_kill -TERM
  vm_tries=20
  while [ "$vm_tries" -gt 0 ] && vm_kill -0; do
    sleep 0.1
    vm_tries=$((vm_tries - 1))
  done
  vm_kill -KILL
) <&3 >/dev/null 2>&1 &
vm_watcher=$!
exec 3<&-
[ -z "$vm_signalled" ] || vm_kill -TERM
# Nobody may be left to read what this shell says of a step that was killed.
trap '' PIPE

# A trapped signal ends \`wait\` early.
vm_signalled=1
while [ -n "$vm_signalled" ]; do
  vm_signalled=
  wait "$vm_step"
  vm_exit=$?
done
exec 2>/dev/null
kill -KILL "$vm_watcher"
exit "$vm_exit"
`.trimStart();

/** Standard input for RUN_STEP: the size of the script, a line of shell code that sets it up, and the script. */
export function guestStepInput(step: GuestStep): Uint8Array {
  return Buffer.concat([Buffer.from(`${step.script.length}\n${guestStepSetup(step)}\n`), step.script]);
}

/** One line that sets the command and its environment: the command first, since a variable may have any name. */
export function guestStepSetup({ script, args, environment }: GuestStep): string {
  const interpreter = parseInterpreter(script)?.map(quoteInLine).join(' ') ?? '"$vm_shell" -e';
  const command = [`set -- ${interpreter} "$vm_dir/script"`, ...args.map(quoteInLine)].join(' ');
  const variables = Object.entries(environment).map(([name, value]) => `${name}=${quoteInLine(value)}`);
  return variables.length === 0 ? command : `${command}; export ${variables.join(' ')}`;
}

/** What contains a line end is quoted as a whole, so that the quotes can be closed and opened again around it. */
function quoteInLine(word: string): string {
  return quoteForShell(word).replaceAll('\n', `'"$vm_newline"'`);
}
