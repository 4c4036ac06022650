import { randomBytes } from 'node:crypto';
import { quoteForShell } from '../../communicators/quoting.ts';
import type { ChangedCard } from '../../providers/provider.ts';

/** Raised when templates that were made before do not do what is expected of them now. */
export const AGENT_VERSION = 1;

/** What the agent says on the console when nobody is logged in any more and the guest may be held still. */
export const ASLEEP = 'machinefile: waiting to be another machine';

const AGENT_PATH = '/run/machinefile-agent';

/**
 * Runs in the guest of a template, from when its memory is saved until a machine that begins with it has been told who it
 * is: `SECONDS MICROSECONDS NOISE MACHINE_ID [MAC=MAC…]`, on the second serial port. No SSH server runs meanwhile, so that none can
 * be reached that has the keys of another. busybox init restarts one as soon as it runs on.
 * $1 is the process that has the connection over which the agent came.
 */
const AGENT = `
port=/dev/ttyS1
library=/usr/lib/machinefile
exec <$port >/dev/console 2>&1
stty -F $port raw -echo
cd /
while kill -0 "$1" 2>/dev/null; do usleep 20000; done
kill -TSTP 1
for server in $(pidof dropbear); do kill "$server"; done
while pidof dropbear >/dev/null; do usleep 20000; done
for file in /sys/class/net/*/address; do
	interface=\${file%/address}
	ip link set dev "\${interface##*/}" down
done
sync
echo '${ASLEEP}'

read -r seconds microseconds noise machine_id cards
fail() {
	echo "$1" >$port
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
$library/apply-seed root
[ ! -x $library/convert-host-key ] || $library/convert-host-key
[ ! -x $library/dropbear-keys ] || $library/dropbear-keys apply
kill -CONT 1
echo ready >$port
rm -f "$0"
`;

/** A program that leaves the agent running in the guest, if that is of the kind that it knows. */
export const AGENT_LAUNCH = `
case $(readlink /proc/1/exe) in
*/busybox) [ -x /usr/lib/machinefile/apply-seed ] && [ -x /usr/sbin/dropbear ] ;;
*) false ;;
esac || {
	echo 'only guests with busybox init and dropbear, such as those of the box tiny, can go on as another machine' >&2
	exit 1
}
umask 077
printf %s ${quoteForShell(AGENT)} >${AGENT_PATH}
setsid sh ${AGENT_PATH} $PPID </dev/null >/dev/null 2>&1 &
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
