import { BlockList, isIP } from 'node:net';

export type ProxyEnvironment = Readonly<Record<string, string | undefined>>;

/**
 * The proxy for a URL as curl chooses it: `http_proxy`, `https_proxy`, `all_proxy`, in lower or upper case, and
 * `no_proxy`, a list of hosts (each with its subdomains) and networks (`10.0.0.0/8`), with ports where they matter,
 * or `*`.
 */
export function proxyFor(url: URL, environment: ProxyEnvironment): string | undefined {
  const read = (name: string) => environment[name] || environment[name.toUpperCase()];
  if (isExcepted(url, read('no_proxy') ?? '')) return undefined;
  const proxy = read(`${url.protocol.slice(0, -1)}_proxy`) ?? read('all_proxy');
  return proxy === undefined || proxy.includes('://') ? proxy : `http://${proxy}`;
}

const DEFAULT_PORTS: Readonly<Record<string, string>> = { 'http:': '80', 'https:': '443' };

function isExcepted(url: URL, exceptions: string): boolean {
  const host = withoutBrackets(url.hostname.toLowerCase());
  const port = url.port || DEFAULT_PORTS[url.protocol];
  return exceptions
    .toLowerCase()
    .split(/[\s,]+/)
    .some((exception) => {
      if (exception === '*') return true;
      if (exception.includes('/')) return isInNetwork(host, exception);
      // An IPv6 address has colons of its own: only in brackets can a port follow.
      if (isIP(exception)) return host === exception;
      const [, domain = '', wantedPort] = /^(?:\*?\.)?(.*?)(?::(\d+))?$/.exec(exception) ?? [];
      if (domain === '' || (wantedPort !== undefined && wantedPort !== port)) return false;
      return host === withoutBrackets(domain) || host.endsWith(`.${domain}`);
    });
}

function withoutBrackets(host: string): string {
  return host.replace(/^\[(.*)\]$/, '$1');
}

function isInNetwork(host: string, network: string): boolean {
  const [, address = '', prefix] = /^(.*)\/(\d+)$/.exec(network) ?? [];
  const family = isIP(address);
  if (family === 0 || family !== isIP(host) || Number(prefix) > (family === 4 ? 32 : 128)) return false;
  const type = family === 4 ? 'ipv4' : 'ipv6';
  const list = new BlockList();
  list.addSubnet(address, Number(prefix), type);
  return list.check(host, type);
}
