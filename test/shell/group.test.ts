/** `nsh group`, `scale` and `node` on a store in this process; the leader's and the agents' part is written by hand. */
import { describe, expect, it } from 'vitest';
import { groupCommand } from '../../shell/commands/group.ts';
import { renderEvent } from '../../shell/group/render-event.ts';
import { readRecord } from '../../src/coordination/cluster-record.ts';
import { readGroups } from '../../src/coordination/groups/snapshot.ts';
import { versionOf } from '../../src/policy/supervision/spec.ts';
import { writeEvents } from '../../src/policy/supervision/stored.ts';
import { aliveKey, eventsKey, wantedKey } from '../../src/policy/supervision/store-keys.ts';
import { runCommand } from './run-command.ts';
import { nodesOf, storeClient } from './store-client.ts';
import { NshError } from '../../src/protocol/errors.ts';
import { World } from './group-world.ts';

/** Agents there are none here. */
const refusals = expect.stringContaining('connection refused') as string;

describe('nsh group start', () => {
  it('writes what is wanted, and the first record of the nodes with it', async () => {
    const world = new World();
    const { status, stdout } = await world.nsh(
      'group start -n 2 web --on @front --restart transient --ready tcp:80 --pack --memory 1M -e A=1 -- sleep 9 -n',
    );
    expect({ status, stdout }).toEqual({ status: 0, stdout: '' });
    expect(await world.wanted('web')).toMatchObject({
      round: 1,
      restarts: 0,
      spec: {
        argv: ['sleep', '9', '-n'],
        replicas: 2,
        on: '@front',
        restart: 'transient',
        ready: { kind: 'tcp', port: 80 },
        spreading: 'pack',
        memoryBytes: 2 ** 20,
        env: { A: '1' },
      },
    });
    expect((await readRecord(world.store)).record?.nodes.map(({ name }) => name)).toEqual(['web1', 'web2', 'db1']);
  });

  it('refuses a name that is there, pointing to update and scale, and changes nothing', async () => {
    const world = new World();
    await world.nsh('group start web -- sleep 1');
    await expect(world.nsh('group start web -n 5 -- sleep 2')).rejects.toMatchObject({
      code: 'taken',
      message: expect.stringMatching(
        /a group 'web' already, with 1 replica of 'sleep 1'.*update web.*scale web=N/,
      ) as string,
    });
    expect((await world.wanted('web'))?.spec.argv).toEqual(['sleep', '1']);
  });

  it.each([
    ['group start web -n 4 --apart web -- x', /web\/4: .*cluster show/],
    ['group start web --on db9 -- x', /all of web: --on db9: unknown node 'db9'; did you mean 'db1'\?/],
    [
      'group start web --on @frnt -- x',
      /all of web: --on @frnt: no node has the label 'frnt'; did you mean '@front'\?/,
    ],
    ['group start web -n 3 --on @front --apart web -- x', /db1: it is not in @front.* Its nodes are --on @front;/],
  ])('refuses what no node could ever run: %s', async (line, message) => {
    const world = new World();
    await expect(world.nsh(line)).rejects.toMatchObject({
      code: 'unplaceable',
      message: expect.stringMatching(message) as string,
    });
    expect(await world.wanted('web')).toBeUndefined();
    expect((await readRecord(world.store)).record).toBeUndefined();
  });

  it('refuses more memory than any node has', async () => {
    const world = new World();
    for (const node of [1, 2, 3]) await world.come(node);
    await expect(world.nsh('group start web --memory 2G -- x')).rejects.toMatchObject({ code: 'unplaceable' });
  });

  it('says of a name that is a label, too, what each is behind @', async () => {
    const world = new World();
    const said =
      'nsh group: front is a label, too: @@front are the nodes that have it, @@group:front those of the group';
    expect((await world.nsh('group start front -- x')).stderr).toContain(said);
    expect((await world.nsh('group start front')).stderr).not.toContain(said);
  });

  it('takes what cannot be placed for now, and says why it waits', async () => {
    const world = new World();
    await world.come(3);
    const { status, stderr } = await world.nsh('group start web --on @front -- x');
    expect(status).toBe(0);
    expect(stderr).toContain('nsh group: web1: connection refused: it takes part in no group');
    expect(stderr).toMatch(/web\/1: .*it is placed as soon as that changes/);
  });

  it('asks the agents before a group is written, for they are to be there when it is placed; but a first one keeps them there', async () => {
    const world = new World();
    const { client } = world;
    const written: (readonly string[])[] = [];
    const asking = {
      ...client,
      fanout: async function* (nodes) {
        written.push([...(await readGroups(world.store)).wanted.keys()]);
        for (const node of nodes) yield { node, error: new NshError('unreachable', 'no') };
      } as typeof client.fanout,
    };
    for (const name of ['web', 'db']) await runCommand(groupCommand, ['start', name, '--', 'x'], { client: asking });
    expect(written).toEqual([['web'], ['web']]);
  });

  it('starts again what was stopped or has failed, in another round', async () => {
    const world = new World();
    await world.nsh('group start web -- x');
    expect((await world.nsh('group start web')).stderr).toContain('web is started already');
    await world.nsh('group stop web');
    expect(await world.wanted('web')).toMatchObject({ round: 1, rest: 'stopped' });
    await world.nsh('group start web');
    expect(await world.wanted('web')).toMatchObject({ round: 2 });
    await world.say('web', { failed: 'too many restarts' });
    await expect(world.nsh('group restart web')).rejects.toThrow(/has failed: too many restarts.*group start web/);
    await world.nsh('group start web');
    expect(await world.wanted('web')).toMatchObject({ round: 3 });
  });

  it.each([
    'group',
    'group stat web',
    'group start',
    'group start web -n 2',
    'group start web sleep 5',
    'group start web --',
    'group start 9x -- x',
    'group start web -n many -- x',
    'group start web --spread --pack -- x',
    'group start web -n 2 --singleton -- x',
    'group start web --ready http:80 -- x',
    'group start web --json -- x',
    'group stop web -- x',
    'group stop web -n 2',
    'group update web',
    'scale',
    'scale web',
    'scale web=-1',
    'scale web=1 web=2',
    'node',
    'node drain',
    'node drain web1 web2',
    'node undrain --wait web1',
  ])('tells wrong lines before anything is asked: %s', async (line) => {
    const world = new World();
    await expect(world.nsh(line)).rejects.toMatchObject({ code: 'usage' });
    expect((await world.store.status()).revision).toBe((await new World().store.status()).revision);
  });
});

describe('a word that nsh group does not have', () => {
  it.each([
    ['group scale web=5', "'scale' cannot be done; did you mean 'nsh scale'?"],
    ['group delete web', "'delete' cannot be done; did you mean 'rm'?"],
    ['group shwo web', "'shwo' cannot be done; did you mean 'show'?"],
    ['group constructor', "'constructor' cannot be done: start, ls, show, events, update, restart, stop, rm"],
  ])('points to the one that was meant: %s', async (line, message) => {
    await expect(new World().nsh(line)).rejects.toMatchObject({ code: 'usage', message });
  });
});

describe('changes of a group', () => {
  it('point to the group that was meant', async () => {
    const world = new World();
    await world.nsh('group start web -- x');
    for (const line of ['scale wbe=3', 'group stop wbe', 'group show wbe', 'group events wbe', 'group rm wbe'])
      await expect(world.nsh(line)).rejects.toThrow(/there is no group 'wbe'; did you mean 'web'/);
    await expect(world.nsh('group start db')).rejects.toThrow(/no group 'db': give its command/);
  });

  it('leave alone what is not named, and say where it is so already', async () => {
    const world = new World();
    await world.nsh('group start web -n 2 -e A=1 --ready log:up --memory 1M -- x y');
    const before = await world.wanted('web');
    await world.nsh('group update web -e B=2 --intensity 9 --ready none --memory none');
    const { ready: _ready, ...kept } = before?.spec ?? {};
    expect((await world.wanted('web'))?.spec).toEqual({
      ...kept,
      env: { A: '1', B: '2' },
      intensity: 9,
      memoryBytes: 0,
    });
    expect((await world.nsh('group update web --intensity 9')).stderr).toBe('nsh group: web is so already\n');
    await world.nsh('group update web -- z');
    expect((await world.wanted('web'))?.spec).toMatchObject({ argv: ['z'], intensity: 9 });
    await world.nsh('group restart web');
    expect(await world.wanted('web')).toMatchObject({ restarts: 1, round: 1 });
  });

  it('take away again what was given', async () => {
    const world = new World();
    await world.nsh('group start plain -- x');
    const plain = (await world.wanted('plain'))?.spec;
    const given = '--on @front --apart web,db --memory 1M --singleton -e A=1 -e B=2 -C /srv --ready tcp:80';
    await world.nsh(`group start web ${given} -- x`);
    const away = '--on @all --apart none --memory none --no-singleton --unset A -u B -C none --ready none';
    expect(await world.nsh(`group update web ${away}`)).toMatchObject({ status: 0, stderr: refusals });
    expect((await world.wanted('web'))?.spec).toEqual({ ...plain, name: 'web' });
    expect((await world.nsh('group events web')).stdout).toMatch(/update  .*\bon\b.*\bsingleton\b/);
    // The last word on a variable counts.
    await world.nsh('group update web -e C=1 -u C -u D -e D=2');
    expect((await world.wanted('web'))?.spec.env).toEqual({ D: '2' });
    for (const [line, why] of [
      ['group update web --unset D=2', "--unset: 'D=2' is no name of a variable"],
      ['group update web --singleton --no-singleton', '--singleton and --no-singleton exclude each other'],
      ['group update web --on=', '--on: nothing is given'],
      ['group start new -u D -- x', 'start does not take --unset'],
    ] as const)
      await expect(world.nsh(line)).rejects.toThrow(why);
  });

  it('scale all that are named, or none', async () => {
    const world = new World();
    await world.nsh('group start web -- x');
    await world.nsh('group start db -- x');
    await world.nsh('group start one --singleton -- x');
    await world.nsh('scale web=5 db=2');
    expect([(await world.wanted('web'))?.spec.replicas, (await world.wanted('db'))?.spec.replicas]).toEqual([5, 2]);
    await expect(world.nsh('scale web=1 no=2')).rejects.toMatchObject({ code: 'unknownGroup' });
    await expect(world.nsh('scale web=1 one=2')).rejects.toThrow(/^one: a singleton has one replica/);
    await expect(world.nsh('scale web=1 db=10001')).rejects.toThrow(/^db: replicas must be/);
    expect((await world.wanted('web'))?.spec.replicas).toBe(5);
    expect((await world.nsh('scale web=5')).stderr).toBe('nsh scale: web has 5 replicas already\n');
  });

  it('at once are both made: none is lost', async () => {
    const world = new World();
    await world.nsh('group start web -- x');
    await world.nsh('group start db -- x');
    const all = await Promise.all([
      ...[1, 2, 3, 4].map((n) => world.nsh(`group update web -e V${n}=1`)),
      world.nsh('scale web=7 db=3'),
      world.nsh('group update db --intensity 8'),
      world.nsh('group restart web'),
    ]);
    expect(all.map(({ status }) => status)).toEqual(all.map(() => 0));
    expect(await world.wanted('web')).toMatchObject({
      restarts: 1,
      spec: { replicas: 7, env: { V1: '1', V2: '1', V3: '1', V4: '1' } },
    });
    expect((await world.wanted('db'))?.spec).toMatchObject({ replicas: 3, intensity: 8 });
  });

  it('are refused where the group has meanwhile become one that does not allow them', async () => {
    const world = new World();
    await world.nsh('group start web -- x');
    let isFirst = true;
    world.wrap = (store) => {
      const write = store.txn.bind(store);
      store.txn = async (compares, ...rest) => {
        if (compares.length > 0 && isFirst) {
          isFirst = false;
          await world.nsh('group rm web');
        }
        return await write(compares, ...rest);
      };
      return store;
    };
    await expect(world.nsh('scale web=4')).rejects.toThrow(/web is being removed/);
    expect(await world.wanted('web')).toMatchObject({ rest: 'removed', spec: { replicas: 1 } });
  });

  it('of which no answer comes are found out about, and done once', async () => {
    const world = new World();
    await world.nsh('group start web -- x');
    const { storeUnknown } = await import('../../src/store/errors.ts');
    for (const isDone of [true, false]) {
      let isFirst = true;
      world.wrap = (store) => {
        const write = store.txn.bind(store);
        store.txn = async (compares, ...rest) => {
          if (compares.length === 0 || !isFirst) return await write(compares, ...rest);
          isFirst = false;
          if (isDone) await write(compares, ...rest);
          throw storeUnknown('no answer came');
        };
        return store;
      };
      expect((await world.nsh('group restart web')).status).toBe(0);
      expect(await world.wanted('web')).toMatchObject({ restarts: isDone ? 1 : 2 });
    }
  });
});

describe('--wait', () => {
  it('is over when the leader and the nodes have made it so', async () => {
    const world = new World();
    await world.come(1);
    const started = world.nsh('group start web -n 2 --wait=20s -- x');
    await expect.poll(() => world.wanted('web')).toBeDefined();
    await world.act(1, 'web', [{}, { phase: 'starting' }]);
    await world.act(1, 'web', [{}, {}]);
    expect((await started).status).toBe(0);
    const stopped = world.nsh('group stop web --wait=20s');
    await expect.poll(async () => (await world.wanted('web'))?.rest).toBe('stopped');
    await world.act(1, 'web', []);
    expect((await stopped).status).toBe(0);
    const removed = world.nsh('group rm web --wait=20s');
    await expect.poll(async () => (await world.wanted('web'))?.rest).toBe('removed');
    await expect(world.nsh('group start web -- y')).rejects.toThrow(/web is being removed/);
    await world.store.txn([], [{ op: 'delete', key: wantedKey('web') }]);
    expect((await removed).status).toBe(0);
  });

  it('ends with 1 where the group fails, and with 124 and why at its deadline', async () => {
    const world = new World();
    expect(await world.nsh('group start web --wait=50ms -- x')).toMatchObject({
      status: 124,
      stderr: expect.stringMatching(/web: after 50ms: no leader has taken it up/) as string,
    });
    await world.say('web', { waits: new Map([[1, 'no room']]) });
    expect((await world.nsh('group restart web --wait=50ms')).stderr).toContain('no leader has taken it up');
    await world.say('web', { waits: new Map([[1, 'no room']]) });
    expect((await world.nsh('group start web --wait=50ms')).stderr).toContain('incomplete, 0 of 1 ready: no room');
    await world.say('web', { failed: '4 restarts within 30s' });
    expect(await world.nsh('scale web=3 --wait=50ms')).toMatchObject({
      status: 1,
      stderr: expect.stringContaining('web: 4 restarts within 30s') as string,
    });
  });
});

describe('nsh group ls, show and events', () => {
  it('join what is wanted, ordered and reported', async () => {
    const world = new World();
    for (const node of [1, 2]) await world.come(node);
    await world.come(2, { memoryLimit: 'rlimit' });
    await world.nsh('group start web -n 3 --on @front --memory 512M --ready tcp:8080 -- serve --port 8080');
    await world.nsh('group start idle -n 0 -- true');
    await world.act(1, 'web', [{ pid: 4711 }]);
    await world.act(2, 'web', [{ slot: 2, phase: 'waiting', end: { kind: 'exited', code: 3 }, asked: false, run: 2 }]);
    await world.say('web', { waits: new Map([[3, 'web1: no room']]) });
    expect((await world.nsh('group ls')).stdout).toBe(
      [
        'GROUP  STATE       READY  RESTARTS  NODES     COMMAND',
        'idle   pending       0/0         0  -         true',
        'web    incomplete    1/3         0  web[1-2]  serve --port 8080',
        '',
      ].join('\n'),
    );
    const version = versionOf((await world.wanted('web'))?.spec ?? raise());
    expect((await world.nsh('group show web')).stdout).toBe(
      [
        'group      web',
        'state      incomplete, 1 of 3 ready',
        'waits      web1: no room',
        'command    serve --port 8080',
        `version    ${version}`,
        'restart    permanent, one_for_one, at most 3 in 30s; 0 so far',
        'ready      tcp:8080, within 1m',
        'stop       TERM, and KILL after 10s',
        'placement  spread, on @front',
        'memory     512M each, limited by cgroup on web1, by rlimit on web2',
        '',
        'REPLICA  NODE       PID  STATE     FOR  RUN  NOTE',
        'web/1    web1  10004711  ready       -    1',
        'web/2    web2         -  waiting     -    2  before: exited with status 3',
        'web/3    -            -  unplaced    -    -  web1: no room',
        '',
      ].join('\n'),
    );
    const [told] = JSON.parse((await world.nsh('group ls --json web')).stdout) as { slots: unknown[] }[];
    expect(told).toMatchObject({ name: 'web', state: 'incomplete', ready: 1, replicas: 3, restarted: 0 });
    expect(told?.slots[0]).toMatchObject({ name: 'web/1', node: 'web1', pid: 10_004_711, memoryLimit: 'cgroup' });
  });

  it('tell a rollout that goes on, one that is halted, and a node that is lost', async () => {
    const world = new World();
    for (const node of [1, 2]) await world.come(node);
    await world.nsh('group start web -n 2 -- x');
    await world.act(1, 'web', [{}]);
    await world.act(2, 'web', [{ slot: 2, version: 'old' }]);
    const state = async (): Promise<string | undefined> =>
      (JSON.parse((await world.nsh('group show web --json')).stdout) as { state?: string }).state;
    expect(await state()).toBe('updating');
    await world.say('web', { halted: 'web/1 exited with status 1' });
    expect(await state()).toBe('halted');
    expect((await world.nsh('group show web')).stdout).toContain('\nwhy        web/1 exited with status 1\n');
    await world.act(2, 'web', [{ slot: 2 }]);
    expect(await state()).toBe('running');
    await world.store.txn([], [{ op: 'delete', key: aliveKey(2) }]);
    expect(await state()).toBe('incomplete');
    expect((await world.nsh('group show web')).stdout).toMatch(/web\/2 +web2 .* lost/);
  });

  it('tell what happened in its order, whoever wrote it', async () => {
    const world = new World();
    await world.nsh('group start web -- x');
    await world.nsh('scale web=2');
    const later = Date.now() + 1000;
    await world.put(
      eventsKey('web', 2),
      writeEvents([{ atMs: later, slot: 1, kind: 'ended', text: 'exited \u001b[31m' }]),
    );
    await world.put(eventsKey('web', 'leader'), writeEvents([{ atMs: later - 1, kind: 'placed' }]));
    const lines = (await world.nsh('group events web')).stdout.split('\n').slice(0, -1);
    expect(lines.map((line) => line.split('  ').slice(1, 4).join(' '))).toEqual([
      'person web start',
      'person web scale',
      'leader web placed',
      'web2 web/1 ended',
    ]);
    expect(lines[1]).toMatch(/ {2}1 -> 2, by \w+@web1$/);
    expect(lines[3]).not.toContain('\u001b');
  });

  it('tell it on a terminal with the time of the day, in columns', () => {
    const style = { nameOf: () => 'web1', colour: false, aligned: { who: 6, what: 6 } };
    const atMs = new Date().setHours(18, 5, 9, 7);
    const event = { atMs, who: '1', slot: 1, run: 1, kind: 'ended', text: 'exited with status 3' };
    expect(renderEvent(event, 'web', style)).toBe('18:05:09.007  web1    web/1   ended    exited with status 3');
    const failed = { atMs: new Date('2020-02-03T04:05:06').getTime(), who: 'leader', kind: 'failed' };
    expect(renderEvent(failed, 'web', style)).toBe('2020-02-03 04:05:06.000  leader  web     failed');
    expect(renderEvent(failed, 'web', { ...style, colour: true })).toContain('\u001b[31mfailed\u001b[39m');
  });

  it('show the rest where something cannot be read, and say so', async () => {
    const world = new World();
    await world.nsh('group start web -- x');
    await world.put(eventsKey('web', 2), '{');
    const events = await world.nsh('group events web');
    expect([events.status, events.stdout.split('\n').length]).toEqual([0, 2]);
    expect(events.stderr).toMatch(/^nsh group: by 2: .*the events of web/);
    await world.put(wantedKey('bad'), '{');
    const { status, stdout, stderr } = await world.nsh('group ls');
    expect({ status, lines: stdout.split('\n').length }).toEqual({ status: 0, lines: 3 });
    expect(stderr).toContain('what is wanted of bad in the store cannot be read');
  });

  it('say once where the cluster file differs from the cluster of record', async () => {
    const world = new World();
    await world.nsh('group start web -- x');
    const { stderr } = await runCommand(groupCommand, ['ls'], {
      client: storeClient(nodesOf('web1=front'), world.core),
    });
    expect(stderr.match(/differs from the cluster of record/g)).toHaveLength(1);
    expect((await world.nsh('group ls')).stderr).toBe('');
  });
});

describe('nsh node drain', () => {
  it('drains by names and labels, waits until nothing is left, and undoes it', async () => {
    const world = new World();
    await world.come(1);
    await world.nsh('group start web -- x');
    await world.act(1, 'web', [{}]);
    expect(await world.nsh('node drain @front --wait=50ms')).toMatchObject({
      status: 124,
      stderr: expect.stringContaining('web1: after 50ms: still there: web/1') as string,
    });
    const drained = world.nsh('node drain web1 --wait=20s');
    await world.act(1, 'web', []);
    expect(await drained).toMatchObject({ status: 0, stderr: 'nsh node: web1 is drained already\n' });
    expect([...(await readGroups(world.store)).drained.keys()]).toEqual([1, 2]);
    await world.nsh('node undrain @front');
    expect([...(await readGroups(world.store)).drained.keys()]).toEqual([]);
    await expect(world.nsh('node drain web9')).rejects.toMatchObject({ code: 'unknownNode' });
  });
});

function raise(): never {
  throw new Error('it is not there');
}
