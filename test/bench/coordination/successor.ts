/**
 * From kill -9 of a supervised process until its successor runs: each says so itself, over a fifo, as the first thing that it does. The same
 * command under runit's runsv and, where they are on the PATH, pm2.
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { constants, existsSync, openSync } from 'node:fs';
import { chmod, mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { reportPrefixes, wantedKey } from '../../../src/policy/supervision/store-keys.ts';
import { readReport } from '../../../src/policy/supervision/stored.ts';
import { run } from '../setting.ts';
import { median, percentile, type Figure } from '../stats.ts';
import { findPeer } from './peers.ts';
import { sleep, type GroupSetting } from './setting.ts';

const work = 'kill -9 until its successor runs';
/** runsv lets a second pass where a process has run for less than that; pm2 likewise. */
const restMs = 1_200;
const warmUps = 2;

/** One who keeps a process running, and can be told that it is time to stop. */
interface Supervisor {
  readonly name: string;
  /** PID of what runs now, as this machine has it. */
  readonly pid: () => Promise<number>;
  readonly stop: () => Promise<void>;
}

export async function benchSuccessor(setting: GroupSetting, runs: number): Promise<Figure[]> {
  const { who } = setting;
  const births = await Births.open();
  const supervisors: Supervisor[] = [];
  try {
    for (const start of [startRunit, startPm2]) {
      const peer = await start(births);
      if (peer !== undefined) supervisors.push(peer);
    }
    const own = await startGroup(setting, births, runs);
    supervisors.push(own);
    const times = supervisors.map((): number[] => []);
    const told: number[] = [];
    for (let i = -warmUps; i < runs; i++) {
      await sleep(restMs);
      for (const [index, supervisor] of supervisors.entries()) {
        const pid = await supervisor.pid();
        const isTold = supervisor === own ? untilReported(setting.groups, await own.next()) : undefined;
        const next = births.next();
        const from = performance.now();
        process.kill(pid, 'SIGKILL');
        const tookMs = (await next) - from;
        if (isTold !== undefined) await isTold;
        if (i < 0) continue;
        times[index]?.push(tookMs);
        if (isTold !== undefined) told.push(performance.now() - from);
      }
    }
    const medians = times.map(median);
    const [peer = 0] = medians;
    const nsh = medians.at(-1) ?? 0;
    return [
      ...supervisors.map(({ name }, index): Figure => {
        const value = medians[index] ?? 0;
        const goal = supervisors[index] === own ? { goal: ['within 30 ms', nsh < 30] as const } : {};
        return { work, who: name, value, unit: 'ms', ratio: (value / peer).toFixed(2), ...goal };
      }),
      { work: `${work}, p90`, who: own.name, value: percentile(times.at(-1) ?? [], 90), unit: 'ms' },
      { work: 'kill -9 until the store tells of its successor', who, value: median(told), unit: 'ms' },
    ];
  } finally {
    for (const { stop } of supervisors) await stop();
    await births.close();
  }
}

/** A fifo into which every process that is started writes, and the moments at which that is read. */
class Births {
  readonly directory: string;
  readonly #reader: Socket;
  #onBirth: (atMs: number) => void = () => undefined;

  private constructor(directory: string) {
    this.directory = directory;
    // Open for writing, too: it would end with the first one who writes.
    const fd = openSync(this.#path, constants.O_RDWR | constants.O_NONBLOCK);
    this.#reader = new Socket({ fd, readable: true, writable: false });
    this.#reader.on('data', () => this.#onBirth(performance.now()));
  }

  static async open(): Promise<Births> {
    const directory = await mkdtemp(join(tmpdir(), 'nsh-births-'));
    await run('mkfifo', [join(directory, 'born')], process.env);
    return new Births(directory);
  }

  /** Of a process that says that it is there and stays. */
  get command(): string[] {
    return ['sh', '-c', `echo >${this.#path}; exec sleep 100000`];
  }

  /** `performance.now()` of the next one. */
  next(): Promise<number> {
    return new Promise((resolve) => {
      this.#onBirth = resolve;
    });
  }

  async close(): Promise<void> {
    this.#reader.destroy();
    await rm(this.directory, { recursive: true, force: true });
  }

  get #path(): string {
    return join(this.directory, 'born');
  }
}

/** Each replica is killed once, so that none waits for having ended too soon. */
async function startGroup(
  { groups, cluster, who }: GroupSetting,
  births: Births,
  runs: number,
): Promise<Supervisor & { readonly next: () => Promise<bigint> }> {
  const count = runs + warmUps;
  await groups.start({ name: 'born', command: births.command, replicas: count, intensity: 1_000 });
  const left = await groups.untilReady('born', count);
  return {
    name: `nsh, ${who}`,
    pid: async () => {
      const replica = left.shift();
      const processes = cluster.hosts.hosts[(replica?.node ?? 0) - 1]?.processes() ?? [];
      const found = processes.find(({ pid }) => pid === replica?.pid);
      if (found === undefined) throw new Error(`no replica where ${JSON.stringify(replica)} should be`);
      return await Promise.resolve(found.outerPid);
    },
    next: async () => (await groups.store.get(wantedKey('born'))).revision + 1n,
    stop: () => groups.remove('born'),
  };
}

/** A report in which all are ready, after one in which one is not or with it. */
async function untilReported({ store }: GroupSetting['groups'], from: bigint): Promise<void> {
  for await (const { events } of store.watch(reportPrefixes, from)) {
    for (const event of events) {
      if (event.type !== 'put') continue;
      const { replicas } = readReport(Buffer.from(event.entry.value).toString('utf8'), 'born');
      if (replicas.every(({ phase }) => phase === 'ready')) return;
    }
  }
}

/** Undefined where runit cannot be had. */
async function startRunit(births: Births): Promise<Supervisor | undefined> {
  const runsv = await findPeer('runsv', 'runit');
  if (runsv === undefined) return undefined;
  const service = join(births.directory, 'service');
  await mkdir(service);
  const [shell = '', option = '', script = ''] = births.command;
  await writeFile(join(service, 'run'), `#!/bin/sh\nexec ${shell} ${option} '${script}'\n`);
  await chmod(join(service, 'run'), 0o755);
  const first = births.next();
  const supervisor = spawn(runsv, [service], { stdio: 'ignore' });
  await first;
  return {
    name: 'runsv of runit',
    pid: async () => Number(await readFile(join(service, 'supervise', 'pid'), 'utf8')),
    stop: async () => {
      const ended = once(supervisor, 'exit');
      supervisor.kill('SIGTERM');
      await ended;
    },
  };
}

/** Undefined where it is not on the PATH: nothing brings it here. */
async function startPm2(births: Births): Promise<Supervisor | undefined> {
  const pm2 = (process.env['PATH'] ?? '')
    .split(delimiter)
    .map((directory) => join(directory, 'pm2'))
    .find((path) => existsSync(path));
  if (pm2 === undefined) return undefined;
  const env = { ...process.env, PM2_HOME: join(births.directory, 'pm2') };
  const script = join(births.directory, 'born.sh');
  await writeFile(script, `${births.command[2] ?? ''}\n`);
  const first = births.next();
  await run(pm2, ['start', script, '--name', 'born', '--interpreter', 'sh'], env);
  await first;
  return {
    name: 'pm2',
    pid: async () => Number(await run(pm2, ['pid', 'born'], env)),
    stop: async () => {
      await run(pm2, ['kill'], env);
    },
  };
}
