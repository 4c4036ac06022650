import type { QmpClient } from './qmp.ts';

/** Of an entry of QMP's `query-block`, what is looked at. Source: QEMU's qapi/block-core.json. */
interface BlockDevice {
  readonly qdev?: string;
  readonly inserted?: { readonly 'node-name'?: string };
}

/** The node that each disk of the machine is written to, by the disk's id. */
export async function topNodes(monitor: Pick<QmpClient, 'execute'>): Promise<Map<string, string>> {
  return topNodesIn(await monitor.execute('query-block'));
}

/** The same, given QEMU's answer. A disk's device is called by its id and `-disk`; some have parts of their own. Pure. */
export function topNodesIn(answer: unknown): Map<string, string> {
  const devices = Array.isArray(answer) ? (answer as readonly BlockDevice[]) : []; // the shape is QEMU's promise
  return new Map(
    devices.flatMap(({ qdev, inserted }) => {
      const id = /(?:^|\/)([^/]+)-disk(?:\/|$)/.exec(qdev ?? '')?.[1];
      const node = inserted?.['node-name'];
      return id === undefined || node === undefined ? [] : [[id, node] as const];
    }),
  );
}
