/**
 * Groups on real agents, over nodes and an etcd, with what people and machines do to them at random: begun, scaled, updated, stopped, removed;
 * replicas, agents and shims killed or stopped, a node cut off from the store, nodes drained. A seed repeats what is chosen, not when it
 * comes to be. After each round all faults are mended, and then everything must become as it should be:
 *
 * - exactly the wanted replicas run, each once, and are reported ready; nothing runs of a group that was stopped or removed;
 * - no two runs of a singleton ever overlapped;
 * - there is one agent on each node, and its memory does not grow.
 */
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { editGroups, type WantedChange } from '../../../src/coordination/groups/edit.ts';
import { slotsOf } from '../../../src/policy/supervision/identity.ts';
import { parseGroupSpec } from '../../../src/policy/supervision/parse-spec.ts';
import type { GroupSpec } from '../../../src/policy/supervision/spec.ts';
import type { Wanted } from '../../../src/policy/supervision/wanted.ts';
import { isUnavailable, isUnknown } from '../../../src/store/errors.ts';
import { agentCommand } from '../../hosts/cluster-file.ts';
import type { Host } from '../../hosts/host.ts';
import type { Random } from '../../ids/random.ts';
import { EtcdCluster } from '../../store/etcd/cluster.ts';
import { GroupsUnderTest } from '../groups-under-test.ts';
import { startCluster, type NshCluster } from '../nsh-cluster.ts';
import { waitUntil } from '../wait-until.ts';
import { findReplicas, overlaps, replicaCommand } from './replica.ts';

/** Of a session, s: what is lost is elsewhere soon. */
const ttlSeconds = 3;
/** From the end of the faults until all must be well. */
const patienceMs = 40_000;
const names = ['a', 'b', 'c', 'd', 'one', 'two'] as const;

export interface SoakOptions {
  readonly nodes: number;
  /** `embedded`: in the agent of n1, which is killed as often as the others. Default `etcd`. */
  readonly store?: 'etcd' | 'embedded';
  /** Told what is done. */
  readonly say: (text: string) => void;
}

export class GroupsSoak {
  readonly #say: (text: string) => void;
  /** Absent: the store is embedded. */
  readonly #etcd: EtcdCluster | undefined;
  readonly #cluster: NshCluster;
  readonly #groups: GroupsUnderTest;
  readonly #stopped = new Set<Host>();
  readonly #counts = new Map<string, number>();
  /** Directory of the logs of singletons. */
  readonly #directory: string;

  private constructor(
    etcd: EtcdCluster | undefined,
    cluster: NshCluster,
    groups: GroupsUnderTest,
    { say }: SoakOptions,
  ) {
    this.#etcd = etcd;
    this.#cluster = cluster;
    this.#groups = groups;
    this.#say = say;
    this.#directory = join(cluster.hosts.directory, 'beats');
    mkdirSync(this.#directory);
  }

  static async start(options: SoakOptions): Promise<GroupsSoak> {
    const [etcd, cluster] = await Promise.all([
      options.store === 'embedded' ? undefined : EtcdCluster.start({ members: 1 }),
      startCluster({ count: options.nodes, file: { fileName: 'first.yaml' } }),
    ]);
    const command = `${agentCommand} --session-ttl ${ttlSeconds}`;
    const fileOf = async (url: string | undefined, fileName: string): Promise<string> =>
      await cluster.hosts.clusterFile({
        agentCommand: command,
        extra: url === undefined ? 'store: {embedded: n1}' : `store: {etcd: [${JSON.stringify(url)}]}`,
        fileName,
      });
    // n1 alone reaches the store by way of the proxy, which can cut it off.
    const first = await fileOf(etcd?.proxiedUrls[0], 'n1.yaml');
    const others = await fileOf(etcd?.urls[0], 'cluster.yaml');
    for (const { name, home } of cluster.hosts.hosts) {
      mkdirSync(join(home, '.config/nsh'), { recursive: true });
      writeFileSync(join(home, '.config/nsh/cluster.yaml'), readFileSync(name === 'n1' ? first : others, 'utf8'));
    }
    return new GroupsSoak(etcd, cluster, await GroupsUnderTest.open(cluster.env, others), options);
  }

  /** How often each thing was done. */
  get counts(): ReadonlyMap<string, number> {
    return this.#counts;
  }

  /** Resident memory of each node's agent, KiB. */
  memory(): number[] {
    return this.#hosts.map((host) => {
      const [agent] = this.#daemons(host, 'nsh-agent');
      if (agent === undefined) return 0;
      return Number(/^VmRSS:\s*(\d+)/m.exec(readFileSync(`/proc/${agent.outerPid}/status`, 'latin1'))?.[1]);
    });
  }

  /** @param acts how many things are done. @throws Error that says what is not as it should be. */
  async round(random: Random, acts: number): Promise<void> {
    for (let act = 0; act < acts; act++) {
      const [name, does] = this.#choose(random);
      this.#counts.set(name, (this.#counts.get(name) ?? 0) + 1);
      await unlessAway(does);
      await pause(random.between(0, 400));
    }
    await this.mend();
    await this.check();
  }

  async mend(): Promise<void> {
    this.#reach('pass');
    this.#letGo();
    await waitUntil(() => this.#superviseAll(), 'all agents', patienceMs);
    for (const { id } of this.#hosts) await this.#groups.drain(id, false);
  }

  async check(): Promise<void> {
    const problems = names.flatMap((name) => overlaps(this.#log(name)).map((text) => `${name} ran twice: ${text}`));
    if (problems.length > 0) throw new Error(problems.slice(0, 3).join('\n'));
    let wrong = '';
    const isWell = async (): Promise<boolean> => {
      for (const name of names) await this.#goOn(name);
      wrong = await this.#whatIsWrong();
      return wrong === '';
    };
    const from = performance.now();
    await waitUntil(isWell, 'all to be well', patienceMs).catch((error: unknown) => {
      throw new Error(`${String(error)}: ${wrong}`, { cause: error });
    });
    this.#say(`all well after ${Math.round(performance.now() - from)} ms`);
  }

  /** Removes all groups, of which nothing may stay: no process, no key, no agent that takes part. */
  async removeAll(): Promise<void> {
    for (const name of names) await this.#edit(name, (before) => before && { ...before, rest: 'removed' });
    await waitUntil(async () => (await this.#groups.store.list('group/')).entries.length === 0, 'an empty store');
    await waitUntil(() => findReplicas(this.#hosts).length === 0, 'the end of all replicas');
    await waitUntil(
      async () => (await this.#groups.store.list('node/alive/')).entries.length === 0,
      'all agents to have left',
    );
  }

  async stop(): Promise<void> {
    this.#groups.close();
    await this.#cluster.stop();
    await this.#etcd?.stop();
  }

  get #hosts(): readonly Host[] {
    return this.#cluster.hosts.hosts;
  }

  #log(name: string): string {
    return join(this.#directory, name);
  }

  #choose(random: Random): [string, () => Promise<void> | void] {
    const [first, ...others] = this.#hosts;
    if (first === undefined) throw new Error('there is no host');
    const host = random.pick([first, ...others]);
    const name = random.pick(names);
    const number = random.between(0, 5);
    const isOn = random.between(0, 1) === 1;
    const victims = findReplicas(this.#hosts);
    const victim = victims[random.between(0, Math.max(0, victims.length - 1))];
    const killAgent = (): void => this.#signalDaemons(host, 'nsh-agent', 'SIGKILL');
    const killShim = (): void => this.#signalDaemons(host, 'nsh-shim', 'SIGKILL');
    return random.pick([
      ['start', () => this.#start(name, random)],
      ['start', () => this.#start(name, random)],
      ['scale', () => this.#edit(name, (before) => before && scaled(before, number))],
      ['update', () => this.#edit(name, (before) => before && updated(before, number))],
      ['restart', () => this.#edit(name, (before) => before && { ...before, restarts: before.restarts + 1 })],
      ['stop', () => this.#edit(name, (before) => before && { ...before, rest: 'stopped' })],
      ['rm', () => this.#edit(name, (before) => before && { ...before, rest: 'removed' })],
      ['kill a replica', () => victim && tell(victim.outerPid, 'SIGKILL')],
      ['kill a replica', () => victim && tell(victim.outerPid, 'SIGKILL')],
      ['drain', () => this.#groups.drain(host.id, isOn)],
      ['kill an agent', killAgent],
      ['ask all agents', async () => void (await this.#superviseAll())],
      ['kill a shim', killShim],
      [
        'kill an agent and its shim',
        () => {
          killAgent();
          killShim();
        },
      ],
      ['stop an agent', () => this.#stopDaemons(host, 'nsh-agent')],
      ['stop a shim', () => this.#stopDaemons(host, 'nsh-shim')],
      ['let all go on', () => this.#letGo()],
      ['let all go on', () => this.#letGo()],
      ['cut the store off', () => this.#reach('swallow')],
      ['reach the store', () => this.#reach('pass')],
    ]);
  }

  async #start(name: string, random: Random): Promise<void> {
    const isSingleton = name.length > 1;
    const kind = isSingleton ? 'beats' : random.pick(['plain', 'stubborn', 'slow'] as const);
    const spec = parseGroupSpec({
      name,
      command: replicaCommand({ name: kind }, this.#log(name)),
      replicas: isSingleton ? 1 : random.between(1, 5),
      strategy: isSingleton
        ? 'one_for_one'
        : random.pick(['one_for_one', 'one_for_one', 'one_for_all', 'rest_for_one']),
      spreading: random.pick(['spread', 'pack']),
      // What is killed here is no fault of the group.
      intensity: 10_000,
      'stop-timeout': '500ms',
      singleton: isSingleton,
      ...(kind === 'slow' ? { ready: 'log:^up$' } : {}),
    });
    await this.#edit(name, (before) =>
      before?.rest === 'removed' ? before : { spec, round: (before?.round ?? 0) + 1, restarts: before?.restarts ?? 0 },
    );
  }

  async #edit(name: string, decide: (before: Wanted | undefined) => Wanted | undefined): Promise<void> {
    const signal = AbortSignal.timeout(20_000);
    const change = (wanted: Wanted | undefined): ReadonlyMap<string, WantedChange> => {
      const to = decide(wanted);
      return to === undefined || to === wanted ? new Map() : new Map([[name, { to }]]);
    };
    await editGroups(this.#groups.store, [name], (seen) => change(seen.get(name)?.wanted), { by: 'soak', signal });
  }

  #daemons(host: Host, program: string) {
    return host.processes().filter(({ command }) => command.startsWith(program));
  }

  #signalDaemons(host: Host, program: string, signal: NodeJS.Signals): void {
    for (const { outerPid } of this.#daemons(host, program)) tell(outerPid, signal);
  }

  #stopDaemons(host: Host, program: string): void {
    this.#stopped.add(host);
    this.#signalDaemons(host, program, 'SIGSTOP');
  }

  #letGo(): void {
    for (const host of this.#stopped)
      for (const program of ['nsh-agent', 'nsh-shim']) this.#signalDaemons(host, program, 'SIGCONT');
    this.#stopped.clear();
  }

  #reach(mode: 'pass' | 'swallow'): void {
    if (this.#etcd !== undefined) this.#etcd.proxy(0).mode = mode;
  }

  /** As a command does; those that do not answer are left alone. */
  async #superviseAll(): Promise<boolean> {
    let isEach = true;
    const { client } = this.#groups;
    for await (const { result, error } of client.fanout(client.nodes, 'supervise', {}, { deadlineMs: 3_000 }))
      if (error !== undefined || result?.problem !== null) isEach = false;
    return isEach;
  }

  /** A new version was killed before it was ready: its rollout is halted until a person has looked. */
  async #goOn(name: string): Promise<void> {
    const status = await this.#groups.status(name);
    if (status?.halted === undefined) return;
    await this.#edit(name, (before) =>
      before?.rest === undefined && before?.round === status.round
        ? { ...before, restarts: before.restarts + 1 }
        : undefined,
    );
  }

  async #whatIsWrong(): Promise<string> {
    const running = findReplicas(this.#hosts);
    const problems: string[] = [];
    for (const name of names) {
      const wanted = await this.#groups.wanted(name);
      const own = running.filter(({ group }) => group === name).map(({ slot }) => slot);
      const slots = wanted === undefined || wanted.rest !== undefined ? [] : slotsOf(wanted.spec.replicas);
      const reported = await this.#groups.replicas(name);
      const ready = reported.filter(({ phase }) => phase === 'ready').map(({ slot }) => slot);
      if (
        own.sort((a, b) => a - b).join() !== slots.join() ||
        ready.join() !== slots.join() ||
        wanted?.rest === 'removed'
      )
        problems.push(
          `${name} (${wanted?.rest ?? 'wanted'}) should have ${slots.join()}, runs ${own.join()}, reports ${JSON.stringify(reported)}, ` +
            `status ${JSON.stringify(await this.#groups.status(name), (_key, value: unknown) => (typeof value === 'bigint' ? String(value) : value instanceof Map ? [...value] : value))}`,
        );
    }
    for (const host of this.#hosts) {
      const agents = this.#daemons(host, 'nsh-agent');
      if (agents.length !== 1) problems.push(`${host.name} has ${agents.length} agents`);
    }
    return problems.join('\n');
  }
}

function scaled(before: Wanted, replicas: number): Wanted {
  const spec: GroupSpec = { ...before.spec, replicas: before.spec.singleton ? Math.min(1, replicas) : replicas };
  return { ...before, spec };
}

function updated(before: Wanted, number: number): Wanted {
  return { ...before, spec: { ...before.spec, env: { VERSION: String(number) } } };
}

function tell(pid: number, signal: NodeJS.Signals): void {
  try {
    process.kill(pid, signal);
  } catch {
    // It has ended since.
  }
}

/** A person would try it again. */
async function unlessAway(does: () => Promise<void> | void): Promise<void> {
  try {
    await does();
  } catch (error) {
    if (!isUnavailable(error) && !isUnknown(error)) throw error;
  }
}

/** What is done in a row and what at once: no condition tells. */
async function pause(ms: number): Promise<void> {
  await new Promise((resolve) => setTimeout(resolve, ms));
}
