import { connect, type Socket } from 'node:net';

/**
 * What a connection came to:
 * a socket: an SSH server has sent its banner, and nothing of it is consumed;
 * `refused`: the host has nobody there; `closed`: the guest, or the user network in front of it, hung up.
 */
export type ProbeOutcome = Socket | 'refused' | 'closed';

/** One connection on its way. Its outcome may never come: QEMU's user network accepts before the guest exists. */
export interface BannerProbe {
  readonly outcome: Promise<ProbeOutcome>;
  /** Hangs up, also on a server that has answered. Not to be called by whoever makes use of the socket. */
  abandon(): void;
}

/** RFC 4253, 4.2: a server may send other lines first, but OpenSSH and dropbear do not. */
const BANNER_START = Buffer.from('SSH-');

/** Connects and listens for an SSH server. */
export function openBannerProbe(address: { readonly hostIp: string; readonly port: number }): BannerProbe {
  const socket = connect({ host: address.hostIp, port: address.port, noDelay: true });
  let received: Buffer = Buffer.alloc(0);
  let isConnected = false;
  const outcome = new Promise<ProbeOutcome>((resolve) => {
    const onData = (chunk: Buffer) => {
      received = Buffer.concat([received, chunk]);
      if (received.length < BANNER_START.length) return;
      if (!received.subarray(0, BANNER_START.length).equals(BANNER_START)) {
        socket.destroy();
        return;
      }
      socket.pause();
      socket.off('data', onData).off('close', onClose);
      socket.unshift(received);
      resolve(socket);
    };
    // 'close' follows, and says all there is to know. Kept: the next owner may need a moment to listen.
    const ignore = () => {};
    const onClose = () => resolve(isConnected ? 'closed' : 'refused');
    socket.on('data', onData).on('error', ignore).on('close', onClose);
    socket.once('connect', () => {
      isConnected = true;
    });
  });
  return { outcome, abandon: () => socket.destroy() };
}
