/**
 * A network of test hosts, each in a network namespace of its own behind a switch, whose cables can be pulled: packets are lost silently, as
 * in life. This machine has one interface in it while it is there; all of it goes with the process that made it. Needs root.
 */
import { execFile, spawn, spawnSync, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { promisify } from 'node:util';

const run = promisify(execFile);

export interface Port {
  readonly address: string;
  /** PID of a process in its network namespace. */
  readonly pid: number;
}

/** Whether this machine permits it; tried anew with each call. */
export function permitsNetworks(): boolean {
  const script = 'ip link add br0 type bridge && ip link add probe0 type veth peer name probe1';
  return (
    process.getuid?.() === 0 && spawnSync('unshare', ['--net', 'sh', '-c', script], { stdio: 'ignore' }).status === 0
  );
}

export class Network {
  readonly ports: readonly Port[];
  readonly #switch: number;
  readonly #children: readonly ChildProcess[];
  /** Of this machine. */
  readonly #interface: string;

  private constructor(ports: readonly Port[], holder: number, children: readonly ChildProcess[], name: string) {
    this.ports = ports;
    this.#switch = holder;
    this.#children = children;
    this.#interface = name;
  }

  /** @param count of ports for hosts. */
  static async start(count: number): Promise<Network> {
    // Of the range for measurements between networks (RFC 2544), which is routed nowhere; by PID, so that two runs never meet.
    const net = `198.18.${process.pid % 256}`;
    const children = await Promise.all(Array.from({ length: count + 1 }, () => holdNamespace()));
    const [holder = 0, ...pids] = children.map(({ pid }) => pid ?? 0);
    const name = `nsh${process.pid}`;
    const ports = pids.map((pid, index) => ({ pid, address: `${net}.${index + 1}` }));
    await inside(holder, 'ip link add br0 type bridge && ip link set br0 up');
    await run('ip', ['link', 'add', name, 'type', 'veth', 'peer', 'name', 'home', 'netns', String(holder)]);
    await run('ip', ['address', 'add', `${net}.254/24`, 'dev', name]);
    await run('ip', ['link', 'set', name, 'up']);
    await inside(holder, 'ip link set home master br0 up');
    for (const [index, { pid, address }] of ports.entries()) {
      await inside(holder, `ip link add port${index} type veth peer name eth0 netns ${pid}`);
      await inside(holder, `ip link set port${index} master br0 up`);
      await inside(pid, `ip address add ${address}/24 dev eth0 && ip link set eth0 up && ip link set lo up`);
    }
    return new Network(ports, holder, children, name);
  }

  /** Pulls the cable of a host. */
  async cut(index: number): Promise<void> {
    await inside(this.#switch, `ip link set port${index} down`);
  }

  async heal(index: number): Promise<void> {
    await inside(this.#switch, `ip link set port${index} up`);
  }

  async stop(): Promise<void> {
    await run('ip', ['link', 'delete', this.#interface]);
    for (const child of this.#children) {
      const gone = once(child, 'exit');
      child.kill('SIGKILL');
      await gone;
    }
  }
}

async function holdNamespace(): Promise<ChildProcess> {
  const words = ['--pdeathsig', 'KILL', 'unshare', '--net', 'sh', '-c', 'echo up; exec sleep infinity'];
  const child = spawn('setpriv', words, { stdio: ['ignore', 'pipe', 'inherit'] });
  await once(child.stdout, 'data');
  return child;
}

async function inside(pid: number, script: string): Promise<void> {
  await run('nsenter', [`--net=/proc/${pid}/ns/net`, 'sh', '-c', script]);
}
