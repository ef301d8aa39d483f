/** Waits until addresses are listened on, without connecting: sshd would fork for each attempt. */
import { readFile } from 'node:fs/promises';

export interface Endpoint {
  readonly address: string;
  readonly port: number;
  /** PID of a process in the network namespace; default: this one's. */
  readonly network?: number | undefined;
}

const listenState = '0A';

/** IPv4 sockets in state LISTEN, as `127.0.0.1:22`. @param process in whose network namespace. */
export async function listeningSockets(process: number | 'self' = 'self'): Promise<Set<string>> {
  const table = await readFile(`/proc/${process}/net/tcp`, 'latin1');
  const found = new Set<string>();
  for (const line of table.split('\n').slice(1)) {
    const [, local, , state] = line.trim().split(/\s+/);
    const [address, port] = local?.split(':') ?? [];
    if (state !== listenState || address === undefined || port === undefined) continue;
    // The kernel prints the address as one number in this machine's byte order: little-endian on x64 and arm64.
    const bytes = (address.match(/../g) ?? []).map((byte) => Number.parseInt(byte, 16)).reverse();
    found.add(`${bytes.join('.')}:${Number.parseInt(port, 16)}`);
  }
  return found;
}

/** @throws Error with what `giveUp` says, or after `timeoutMs`. */
export async function waitUntilListening(
  endpoints: readonly Endpoint[],
  timeoutMs: number,
  giveUp: () => Promise<string | undefined>,
): Promise<void> {
  const deadline = performance.now() + timeoutMs;
  for (;;) {
    const tables = new Map<number | undefined, Set<string>>();
    for (const { network } of endpoints) if (!tables.has(network)) tables.set(network, await listeningSockets(network));
    const missing = endpoints.filter(
      ({ address, port, network }) => tables.get(network)?.has(`${address}:${port}`) !== true,
    );
    if (missing.length === 0) return;
    const reason = await giveUp();
    if (reason !== undefined) throw new Error(reason);
    if (performance.now() > deadline)
      throw new Error(`no sshd listens on ${missing[0]?.address} after ${timeoutMs} ms`);
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
}
