/** Faults, one after the other, each healed before the next: what a cluster has to bear while clients work. */
import type { Random } from '../ids/random.ts';
import type { EtcdCluster } from '../store/etcd/cluster.ts';

/** Begins; returns what undoes it beyond `EtcdCluster.heal`. */
type Fault = (cluster: EtcdCluster, random: Random) => Promise<() => void>;

const anyMember = (cluster: EtcdCluster, random: Random): number => random.between(0, cluster.members.length - 1);
const nothing = (): void => undefined;

export const faults = {
  'answers lost after they were applied': async (cluster, random) => {
    for (const proxy of cluster.proxies) proxy.cutsAnswer = () => random.between(1, 100) <= 5;
    return nothing;
  },
  'answers of one member swallowed': async (cluster, random) => {
    cluster.proxy(anyMember(cluster, random)).mode = 'swallow-answers';
    return nothing;
  },
  'a member out of reach of its clients': async (cluster, random) => {
    cluster.proxy(anyMember(cluster, random)).mode = random.pick(['swallow', 'refuse']);
    return nothing;
  },
  'the leader cut off from the others': async (cluster) => {
    cluster.isolate(await cluster.leader());
    return nothing;
  },
  'a follower cut off from the others': async (cluster) => {
    cluster.isolate(await cluster.follower());
    return nothing;
  },
  'the leader killed': async (cluster) => {
    const leader = cluster.member(await cluster.leader());
    await leader.kill();
    return () => leader.start();
  },
  'most members killed': async (cluster, random) => {
    const spared = anyMember(cluster, random);
    const killed = cluster.members.filter((_, index) => index !== spared);
    await Promise.all(killed.map((member) => member.kill()));
    return () => {
      for (const member of killed) member.start();
    };
  },
  'the leader frozen': async (cluster) => {
    const leader = cluster.member(await cluster.leader());
    leader.freeze();
    return () => leader.thaw();
  },
  'a follower frozen': async (cluster) => {
    const follower = cluster.member(await cluster.follower());
    follower.freeze();
    return () => follower.thaw();
  },
  'slow connections': async (cluster, random) => {
    for (const proxy of cluster.proxies) proxy.delayMs = random.between(0, 80);
    return nothing;
  },
} as const satisfies Record<string, Fault>;

export type FaultName = keyof typeof faults;

export interface NemesisOptions {
  readonly random: Random;
  /** How long each fault lasts, ms. */
  readonly faultMs: number;
  /** All goes well so long between two, ms. */
  readonly calmMs: number;
  readonly onFault?: (name: FaultName) => void;
}

/** Runs every fault once, in random order. */
export async function strikeAll(cluster: EtcdCluster, options: NemesisOptions): Promise<void> {
  const { random, faultMs, calmMs, onFault } = options;
  const names = Object.keys(faults) as FaultName[];
  while (names.length > 0) {
    const [name] = names.splice(random.between(0, names.length - 1), 1);
    if (name === undefined) break;
    onFault?.(name);
    const undo = await faults[name](cluster, random);
    await wait(faultMs);
    undo();
    cluster.heal();
    await cluster.waitUntilServing();
    await wait(calmMs);
  }
}

/** How long a fault lasts is what is chosen here, and nothing waits on it. */
async function wait(ms: number): Promise<void> {
  await new Promise((resolve) => setTimeout(resolve, ms));
}
