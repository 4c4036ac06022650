import type { AcceleratorVerdict } from '../../providers/qemu/accelerator.ts';

/** One thing the host has or lacks. */
export interface Check {
  readonly name: string;
  /** `missing`: vm does not work without it; `warning`: it works, but less well. */
  readonly status: 'ok' | 'warning' | 'missing';
  readonly detail: string;
  /** The command that mends it. */
  readonly fix: string | null;
}

/** Its version, or why there is none: not installed, or its own last words. */
export type QemuFinding = { readonly version: string } | { readonly problem: string };

/** What was found out about the host. */
export interface HostFindings {
  readonly qemu: QemuFinding;
  readonly accelerator: AcceleratorVerdict;
  /** Program to its path, for those that are installed. */
  readonly tools: Readonly<Record<string, string | undefined>>;
  /** Whether networks have a switch of their own. */
  readonly hasVde: boolean;
  readonly hasUefi: boolean;
  /** Unprivileged user namespaces and subordinate ids, for building boxes without root. */
  readonly canBuildRootless: boolean;
  readonly isRoot: boolean;
  readonly freeBytes: number;
  readonly homeDir: string;
}

const OLDEST_QEMU_MAJOR = 7;
const ENOUGH_BYTES = 5 * 1024 ** 3;

const TOOLS: readonly { name: string; status: 'missing' | 'warning'; fix: string; purpose: string }[] = [
  { name: 'qemu-img', status: 'missing', fix: 'apt install qemu-utils', purpose: 'makes disks' },
  { name: 'ssh', status: 'missing', fix: 'apt install openssh-client', purpose: 'vm ssh, vm exec, sync' },
  { name: 'rsync', status: 'warning', fix: 'apt install rsync', purpose: 'synced folders' },
  { name: 'mkfs.ext4', status: 'warning', fix: 'apt install e2fsprogs', purpose: 'volumes' },
  { name: 'mmdebstrap', status: 'warning', fix: 'apt install mmdebstrap', purpose: 'vm box build' },
];

/** Judges what was found. Pure. */
export function judgeHost(findings: HostFindings): Check[] {
  return [
    checkQemu(findings.qemu),
    checkAccelerator(findings.accelerator),
    ...TOOLS.map((tool) => checkTool(tool, findings.tools[tool.name])),
    findings.hasUefi
      ? ok('uefi', 'firmware for guests is installed')
      : { name: 'uefi', status: 'warning', detail: 'firmware: uefi does not work', fix: 'apt install ovmf' },
    checkNetworks(findings),
    checkRootless(findings),
    checkSpace(findings),
  ];
}

function ok(name: string, detail: string): Check {
  return { name, status: 'ok', detail, fix: null };
}

function checkQemu(qemu: QemuFinding): Check {
  if ('problem' in qemu) {
    return { name: 'qemu', status: 'missing', detail: qemu.problem, fix: 'apt install qemu-system-x86' };
  }
  const { version } = qemu;
  const major = Number.parseInt(version, 10);
  if (major >= OLDEST_QEMU_MAJOR) return ok('qemu', version);
  return { name: 'qemu', status: 'warning', detail: `${version} is older than 7.2, the oldest tested`, fix: null };
}

function checkAccelerator({ accel, reason }: AcceleratorVerdict): Check {
  if (reason === undefined) return ok('acceleration', accel);
  const fix = reason.includes('group kvm') ? 'sudo adduser "$USER" kvm' : null;
  return { name: 'acceleration', status: 'warning', detail: `${reason}; guests are emulated (${accel})`, fix };
}

function checkTool(tool: (typeof TOOLS)[number], path: string | undefined): Check {
  if (path !== undefined) return ok(tool.name, path);
  return { name: tool.name, status: tool.status, detail: `not installed (${tool.purpose})`, fix: tool.fix };
}

function checkNetworks({ hasVde }: HostFindings): Check {
  if (hasVde) return ok('networks', 'vde_switch: only you can connect to those of your machines');
  return {
    name: 'networks',
    status: 'warning',
    detail: 'no vde_switch: those of your machines are multicast on loopback, where other users of this host can join',
    fix: 'apt install vde2',
  };
}

function checkRootless({ isRoot, canBuildRootless }: HostFindings): Check {
  if (canBuildRootless) return ok('box build', 'without root');
  if (isRoot) return ok('box build', 'as root');
  return {
    name: 'box build',
    status: 'warning',
    detail: 'boxes cannot be built without root: no newuidmap, no subordinate ids, or user namespaces are forbidden',
    fix: 'sudo apt install uidmap && sudo usermod --add-subuids 100000-165535 --add-subgids 100000-165535 "$USER"',
  };
}

function checkSpace({ freeBytes, homeDir }: HostFindings): Check {
  const free = `${(freeBytes / 1024 ** 3).toFixed(1)} GiB free in ${homeDir}`;
  if (freeBytes >= ENOUGH_BYTES) return ok('disk', free);
  return { name: 'disk', status: 'warning', detail: free, fix: 'vm box list shows what boxes take' };
}
