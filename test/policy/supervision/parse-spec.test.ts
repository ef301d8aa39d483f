import { describe, expect, it } from 'vitest';
import { parseReplicaName, replicaName } from '../../../src/policy/supervision/identity.ts';
import { parseGroupSpec, writeGroupSpec } from '../../../src/policy/supervision/parse-spec.ts';
import { versionOf } from '../../../src/policy/supervision/spec.ts';

const least = { name: 'web', command: ['server', '--port', '80'] };

describe('a group specification', () => {
  it('has the defaults that nsh-group(5) tells', () => {
    expect(parseGroupSpec(least)).toEqual({
      name: 'web',
      argv: ['server', '--port', '80'],
      env: {},
      replicas: 1,
      restart: 'permanent',
      strategy: 'one_for_one',
      intensity: 3,
      periodMs: 30_000,
      readyTimeoutMs: 60_000,
      stopSignal: 'TERM',
      stopTimeoutMs: 10_000,
      spreading: 'spread',
      apart: [],
      memoryBytes: 0,
      singleton: false,
    });
  });

  it.each([
    [{}],
    [{ replicas: 0, env: { A: '1', B: 'x=y' }, cwd: '/srv', on: '@gpu,web[1-3]!web2', apart: ['db', 'web'] }],
    [{ restart: 'temporary', strategy: 'rest_for_one', intensity: 0, period: '1h30m', 'stop-timeout': 0 }],
    [{ ready: 'exec:curl -f localhost:80/health', 'ready-timeout': '250ms', 'stop-signal': 'RTMIN+3' }],
    [{ ready: 'log:^listening: \\d+$', memory: '1536K', singleton: true, spreading: 'pack' }],
  ])('is what was written when it is read back: %j', (more) => {
    const spec = parseGroupSpec({ ...least, ...more });
    const stored: unknown = JSON.parse(JSON.stringify(writeGroupSpec(spec)));
    expect(parseGroupSpec(stored)).toEqual(spec);
  });

  it('takes texts where options are texts, numbers where they are numbers', () => {
    expect(
      parseGroupSpec({ ...least, replicas: '5', 'stop-signal': 'sigint', period: 30, memory: 1024 }),
    ).toMatchObject({
      replicas: 5,
      stopSignal: 'INT',
      periodMs: 30_000,
      memoryBytes: 1024,
    });
  });

  it.each([
    [[], 'must be a map'],
    [{ command: ['x'] }, 'name is missing'],
    [{ name: '1web', command: ['x'] }, "not '1web'"],
    [{ name: 'a/b', command: ['x'] }, "not 'a/b'"],
    [{ name: 'web' }, 'a command is missing'],
    [{ name: 'web', command: [] }, 'a list of words'],
    [{ name: 'web', command: ['a\0b'] }, 'a list of words'],
    [{ ...least, replica: 3 }, "unknown key 'replica'; did you mean 'replicas'?"],
    [{ ...least, replicas: -1 }, 'from 0 to 10000'],
    [{ ...least, replicas: 10_001 }, 'from 0 to 10000'],
    [{ ...least, replicas: 1.5 }, 'from 0 to 10000'],
    [{ ...least, restart: 'always' }, 'permanent, transient, temporary'],
    [{ ...least, strategy: 'one_for_al' }, "did you mean 'one_for_all'"],
    [{ ...least, period: 0 }, 'invalid duration'],
    [{ ...least, period: '400d' }, 'longer than a year'],
    [{ ...least, 'stop-signal': 'TREM' }, "did you mean 'TERM'"],
    [{ ...least, 'stop-signal': '0' }, 'a signal that a program can get'],
    [{ ...least, ready: 'http:80' }, 'tcp:PORT, exec:COMMAND or log:REGEX'],
    [{ ...least, ready: 'tcp:0' }, 'a port is 1 to 65535'],
    [{ ...least, ready: 'tcp:80x' }, 'a port is 1 to 65535'],
    [{ ...least, ready: 'exec: ' }, 'a command is missing'],
    [{ ...least, ready: 'log:(' }, 'Invalid regular expression'],
    [{ ...least, memory: '5 apples' }, 'invalid size'],
    [{ ...least, on: 'web[1-' }, 'nodeset'],
    [{ ...least, apart: ['a b'] }, 'names of groups'],
    [{ ...least, env: { 'A=B': '1' } }, "'A=B' is no variable"],
    [{ ...least, env: { A: 1 } }, "'A' is no variable"],
    [{ ...least, singleton: true, replicas: 2 }, 'a singleton has one replica, not 2'],
    [{ ...least, singleton: 'yes' }, 'true or false'],
    [{ ...least, intensity: 10_001 }, 'from 0 to 10000'],
    [{ ...least, strategy: 'one_for_all', replicas: 1_001 }, 'at most 1000 with one_for_all'],
  ])('is refused with what it should be: %j', (written, message) => {
    expect(() => parseGroupSpec(written)).toThrow(message);
  });

  it('is refused where an order with some versions of it would not fit into the store', () => {
    expect(() => parseGroupSpec({ ...least, env: { A: 'x'.repeat(128 * 1024) } })).toThrow('131072 at most');
  });

  it('makes running replicas outdated by what their process is alone', () => {
    const one = parseGroupSpec({ ...least, env: { A: '1', B: '2' } });
    const same = parseGroupSpec({ ...least, env: { B: '2', A: '1' }, replicas: 9, intensity: 7, 'stop-timeout': '1s' });
    expect(versionOf(same)).toBe(versionOf(one));
    expect(versionOf(one)).toMatch(/^[0-9a-f]{12}$/);
    expect(versionOf(one, 2)).toBe(`${versionOf(one)}-2`);
    for (const more of [
      { command: ['other'] },
      { env: {} },
      { cwd: '/' },
      { ready: 'tcp:1' },
      { memory: '1M' },
      { singleton: true },
    ])
      expect(versionOf(parseGroupSpec({ ...least, env: { A: '1', B: '2' }, ...more }))).not.toBe(versionOf(one));
  });
});

describe('the name of a replica', () => {
  it('is its group and its slot', () => {
    expect(replicaName({ group: 'web.v-2', slot: 12 })).toBe('web.v-2/12');
    expect(parseReplicaName('web.v-2/12')).toEqual({ group: 'web.v-2', slot: 12 });
  });

  it.each(['web', 'web/', 'web/0', 'web/01', 'web/-1', '/1', 'we b/1', 'web/123456'])('%j is none', (text) => {
    expect(parseReplicaName(text)).toBeUndefined();
  });
});
