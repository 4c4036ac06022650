import { randomBytes } from 'node:crypto';
import { quoteForShell } from '../../communicators/quoting.ts';
import type { ChangedCard } from '../../providers/provider.ts';

/** Raised when templates that were made before do not do what is expected of them now. */
export const AGENT_VERSION = 3;

/** What the agent says on the console when nobody is logged in any more and the guest may be held still. */
export const ASLEEP = 'machinefile: waiting to be another machine';

/** What the line on the console begins with by which it answers. The level before it is printed by every kernel. */
const ANSWER = 'machinefile: answer: ';

const AGENT_PATH = '/run/machinefile-agent';

/**
 * Runs in the guest of a template, from when its memory is saved until a machine that begins with it has been told who it
 * is: `SECONDS MICROSECONDS NOISE MACHINE_ID [MAC=MAC…]`, on the second serial port. It answers on the console, by way of the
 * kernel, which waits for no interrupt there: a port that was restored may miss one. Nobody can log in meanwhile, so that no
 * server is reached that has the keys of another.
 * $1 is the process that has the connection over which the agent came, $2 the SSH server.
 *
 * busybox init starts a server anew as soon as it runs on. sshd is stopped, finds SIGHUP when it runs on, and so begins
 * anew before it looks at any connection. What systemd keeps in its memory of the machine's id, it forgets; the journal
 * goes on as that of the new machine.
 */
const AGENT = `
umask 022
port=/dev/ttyS1
library=/usr/lib/machinefile
exec <$port >/dev/console 2>&1
stty -F $port raw -echo
cd /
case $(readlink /proc/1/exe) in
*/systemd)
	close_server() {
		systemctl is-system-running --wait >/dev/null
		udevadm settle
		systemctl daemon-reexec
		until systemctl show --property Version >/dev/null 2>&1; do usleep 50000; done
		kill -STOP "$1"
	}
	open_server() {
		kill -HUP "$1"
		kill -CONT "$1"
	}
	begin_journal() {
		journal=$(pidof systemd-journald)
		kill $journal
		while kill -0 $journal 2>/dev/null; do usleep 20000; done
		for folder in /run/log/journal/*; do
			[ "\${folder##*/}" = "$machine_id" ] || rm -rf "$folder"
		done
	}
	;;
*)
	close_server() {
		kill -TSTP 1
		kill "$1"
		while kill -0 "$1" 2>/dev/null; do usleep 20000; done
	}
	open_server() { kill -CONT 1; }
	begin_journal() { :; }
	;;
esac
while kill -0 "$1" 2>/dev/null; do usleep 20000; done
close_server "$2"
for device in /sys/class/net/*/device; do
	interface=\${device%/device}
	ip link set dev "\${interface##*/}" down
done
sync
echo '${ASLEEP}'

read -r seconds microseconds noise machine_id cards
answer() { echo "<2>${ANSWER}$1" >/dev/kmsg; }
fail() {
	answer "$1"
	exit 1
}
date -s "@$seconds" >/dev/null || fail 'its clock cannot be set'
# busybox sets whole seconds only: the rest when the next one begins.
(usleep $((1000000 - microseconds)); date -s "@$((seconds + 1))") >/dev/null &
echo "$noise" >/dev/urandom
tries=100
until dmesg | grep -q 'crng reseeded due to virtual machine fork'; do
	tries=$((tries - 1))
	[ "$tries" -gt 0 ] || fail 'its kernel would give the same random numbers again'
	usleep 20000
done
for card in $cards; do
	for file in /sys/class/net/*/address; do
		read -r address <"$file"
		interface=\${file%/address}
		[ "$address" != "\${card%=*}" ] || ip link set dev "\${interface##*/}" address "\${card#*=}"
	done
done
# At a boot the initramfs writes it.
echo "$machine_id" >/run/machine-id
# The kernel draws this once, when it is first asked.
cat /proc/sys/kernel/random/uuid >/run/boot-id
mount -o bind /run/boot-id /proc/sys/kernel/random/boot_id
begin_journal &
journal_begins=$!
$library/apply-seed "$(ls /run/machinefile/authorized_keys)"
[ ! -x $library/dropbear-keys ] || $library/dropbear-keys apply
wait "$journal_begins"
open_server "$2"
answer ready
rm -f "$0"
`;

/** A program for root that fails, with the reason, where a guest cannot go on as another machine. Finds its SSH server. */
export const AGENT_CHECK = `
parent_of() { sed -n 's/^PPid:[[:space:]]*//p' "/proc/$1/status"; }
session=$$
server=$(parent_of $$)
while [ "$server" -gt 1 ] && [ "$(parent_of "$server")" != 1 ]; do
	session=$server
	server=$(parent_of "$session")
done
case "$(readlink /proc/1/exe) $(readlink "/proc/$server/exe")" in
*/busybox\\ */dropbear) ;;
*/systemd\\ */sshd) grep -q '/ssh\\.service$' "/proc/$server/cgroup" ;;
*) false ;;
esac || {
	echo 'only guests with busybox init and dropbear, or systemd and its ssh.service, can go on as another machine' >&2
	exit 1
}
[ -L /etc/machine-id ] && [ -d /run/machinefile/authorized_keys ] || {
	echo 'an older vm has made its box, which keeps who a machine is on its disk: vm box update renews it' >&2
	exit 1
}
`;

/** A program for root that leaves the agent running in such a guest. */
export const AGENT_LAUNCH = `${AGENT_CHECK}
umask 077
printf %s ${quoteForShell(AGENT)} >${AGENT_PATH}
setsid /bin/busybox sh ${AGENT_PATH} "$session" "$server" </dev/null >/dev/null 2>&1 &
`;

/** What a guest is told that begins as a copy. */
export function wakeLine(machineId: string, cards: readonly ChangedCard[]): string {
  const nowMs = Date.now();
  const seconds = Math.floor(nowMs / 1000);
  const microseconds = (nowMs % 1000) * 1000;
  const changes = cards.map(({ from, to }) => `${from}=${to}`);
  const noise = randomBytes(64).toString('hex');
  return [seconds, microseconds, noise, machineId.replaceAll('-', ''), ...changes].join(' ');
}

/** What a guest has answered on its console; undefined: nothing yet. Pure. */
export function answerIn(consoleText: string): string | undefined {
  return new RegExp(`${ANSWER}(.*?)\\r?\\n`).exec(consoleText)?.[1];
}
