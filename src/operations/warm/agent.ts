import { randomBytes } from 'node:crypto';
import type { TarMember } from '../../boxes/archives/tar-writer.ts';
import { quoteForShell } from '../../communicators/quoting.ts';
import type { ChangedCard } from '../../providers/provider.ts';

/** Raised when templates that were made before do not do what is expected of them now. */
export const AGENT_VERSION = 4;

/** What the agent says on the console when nobody is logged in any more and the guest may be held still. */
export const ASLEEP = 'machinefile: waiting to be another machine';

/** What the line on the console begins with by which it answers. The level before it is printed by every kernel. */
const ANSWER = 'machinefile: answer: ';

const AGENT_PATH = '/run/machinefile-agent';

/**
 * Runs in the guest of a template, from when its memory is saved until a machine that begins with it has been told who it
 * is, on the second serial port (see `wakeText`). It answers on the console, by way of the kernel, which waits for no
 * interrupt there: a port that was restored may miss one. Nobody can log in meanwhile, so that no server is reached that has
 * the keys of another.
 * $1 is the process that has the connection over which the agent came, $2 the SSH server.
 *
 * All that can be done before its memory is saved is done then: each program that it starts afterwards takes 10 to 60 ms of
 * an emulated processor, for which the code of every program is new then.
 *
 * dropbear is begun by a script, which is stopped meanwhile. sshd is stopped, finds SIGHUP when it runs on, and so begins
 * anew before it looks at any connection. What systemd keeps in its memory of the machine's id, it forgets; the journal
 * goes on as that of the new machine.
 */
const AGENT = `
umask 022
rm -f "$0"
port=/dev/ttyS1
library=/usr/lib/machinefile
. $library/identity
for login_user in $identity/authorized_keys/*; do login_user=\${login_user##*/}; done
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
		supervisor=$(sed -n 's/^PPid:[[:space:]]*//p' "/proc/$1/status")
		kill -STOP "$supervisor"
		kill -KILL "$1"
		while [ -e "/proc/$1/exe" ]; do usleep 20000; done
	}
	open_server() {
		set -- apply
		. $library/dropbear-keys
		kill -CONT "$supervisor"
	}
	begin_journal() { :; }
	;;
esac
while kill -0 "$1" 2>/dev/null; do usleep 20000; done
close_server "$2"
for device in /sys/class/net/*/device; do
	interface=\${device%/device}
	interface=\${interface##*/}
	ip link set dev "$interface" down
	ip address flush dev "$interface"
done
# The kernel draws this once, when it is first asked.
boot_id=/proc/sys/kernel/random/boot_id
read -r id <$boot_id
echo "$id" >/run/boot-id
mount -o bind /run/boot-id $boot_id
make_seed_folder
sync
echo '${ASLEEP}'

read -r seconds microseconds noise machine_id cards
read -r told_at _ </proc/uptime
while read -r member mask content && [ "$member" != . ]; do
	umask "$mask"
	printf %b "$content" >"$seed/$member"
done
umask 022
answer() { echo "<2>${ANSWER}$1" >/dev/kmsg; }
fail() {
	answer "$1"
	exit 1
}
date -s "@$seconds" >/dev/null || fail 'its clock cannot be set'
echo "$noise" >/dev/urandom
is_reseeded() {
	case $(dmesg -s 2048) in
	*'crng reseeded due to virtual machine fork'*) ;;
	*) false ;;
	esac
}
tries=100
until is_reseeded; do
	tries=$((tries - 1))
	[ "$tries" -gt 0 ] || fail 'its kernel would give the same random numbers again'
	usleep 20000
done
for card in $cards; do
	for file in /sys/class/net/*/address; do
		read -r address <"$file"
		interface=\${file%/address}
		[ "$address" != "\${card%=*}" ] || ip link set dev "\${interface##*/}" address "\${card#*=}" up
	done
done
# At a boot the initramfs writes it.
echo "$machine_id" >/run/machine-id
read -r id </proc/sys/kernel/random/uuid
echo "$id" >/run/boot-id
begin_journal &
journal_begins=$!
apply_identity "$login_user"
wait "$journal_begins"
open_server "$2"
answer ready
# busybox sets whole seconds only: the rest when the next one begins. What has passed is told in hundredths.
read -r now _ </proc/uptime
microseconds=$((microseconds + (\${now%.*}\${now#*.} - \${told_at%.*}\${told_at#*.}) * 10000))
usleep $((1000000 - microseconds % 1000000))
date -s "@$((seconds + microseconds / 1000000 + 1))" >/dev/null
`;

/** A program for root that fails, with the reason, where a guest cannot go on as another machine. Finds its SSH server. */
export const AGENT_CHECK = `
parent_of() { sed -n 's/^PPid:[[:space:]]*//p' "/proc/$1/status"; }
is_server() {
	case $(readlink "/proc/$1/exe") in
	*/dropbear | */sshd) ;;
	*) false ;;
	esac
}
session=$$
until is_server "$session" || [ "$session" -le 1 ]; do session=$(parent_of "$session"); done
server=$(parent_of "$session")
while is_server "$(parent_of "$server")"; do
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
[ -e /usr/lib/machinefile/identity ] && [ -d /run/machinefile/authorized_keys ] || {
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

/** Linux keeps 640 KiB of what has come to a terminal and was not read (TTYB_DEFAULT_MEM_LIMIT), and loses the rest. */
export function isTellable(seed: readonly TarMember[]): boolean {
  return seed.map(memberLine).join('').length < 128 * 1024;
}

/**
 * What a guest is told that begins as a copy: `SECONDS MICROSECONDS NOISE MACHINE_ID [MAC=MAC…]`, then a line for each member
 * of its seed, `NAME UMASK CONTENT` as printf's %b takes it, and a point. The seed of QEMU's fw_cfg would take it a tenth of
 * a second to read, and a program to unpack.
 */
export function wakeText(machineId: string, cards: readonly ChangedCard[], seed: readonly TarMember[]): string {
  const nowMs = Date.now();
  const seconds = Math.floor(nowMs / 1000);
  const microseconds = (nowMs % 1000) * 1000;
  const changes = cards.map(({ from, to }) => `${from}=${to}`);
  const noise = randomBytes(64).toString('hex');
  const first = [seconds, microseconds, noise, machineId.replaceAll('-', ''), ...changes].join(' ');
  return `${[first, ...seed.map(memberLine), '.'].join('\n')}\n`;
}

/** Whatever might mean something to a terminal, to `read` or to printf is given by its number. */
function memberLine({ name, mode, content }: TarMember): string {
  const escaped = Buffer.from(content)
    .toString('latin1')
    .replace(/[^\w.:/+=@-]/g, (byte) => `\\0${byte.charCodeAt(0).toString(8).padStart(3, '0')}`);
  return `${name} ${(0o777 & ~mode).toString(8)} ${escaped}`;
}

/** What a guest has answered on its console; undefined: nothing yet. Pure. */
export function answerIn(consoleText: string): string | undefined {
  return new RegExp(`${ANSWER}(.*?)\\r?\\n`).exec(consoleText)?.[1];
}
