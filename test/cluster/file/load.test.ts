import { chmodSync, mkdirSync, readdirSync, readFileSync, rmSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { findClusterFile, loadCluster } from '../../../src/cluster/file/index.ts';
import { makeWorkspace, type Workspace } from './workspace.ts';

const small = 'cluster: lab\nnodes: [{id: 1, name: web1}]\n';
let space: Workspace;
beforeEach(() => {
  space = makeWorkspace();
});
afterEach(() => space.remove());

describe('the cluster file is looked for', () => {
  const home = { HOME: '/home/me' };
  it.each([
    ['where --cluster says', { flag: 'a/b.yaml', env: { ...home, NSH_CLUSTER: '/x' }, cwd: '/here' }, '/here/a/b.yaml'],
    ['where NSH_CLUSTER says', { env: { ...home, NSH_CLUSTER: '/x/y.yaml' } }, '/x/y.yaml'],
    ['under XDG_CONFIG_HOME', { env: { ...home, XDG_CONFIG_HOME: '/cfg' } }, '/cfg/nsh/cluster.yaml'],
    ['under ~/.config', { env: home }, '/home/me/.config/nsh/cluster.yaml'],
    [
      'under ~/.config where XDG_CONFIG_HOME is not absolute',
      { env: { ...home, XDG_CONFIG_HOME: 'cfg' } },
      '/home/me/.config/nsh/cluster.yaml',
    ],
    [
      'under ~/.config where NSH_CLUSTER is empty',
      { env: { ...home, NSH_CLUSTER: '' } },
      '/home/me/.config/nsh/cluster.yaml',
    ],
  ])('%s', (_, options, path) => {
    expect(findClusterFile(options).path).toBe(path);
  });
});

describe('loading the cluster', () => {
  it('without a file gives this machine alone', async () => {
    expect(await loadCluster({ env: space.env })).toEqual({
      cluster: 'local',
      agentCommand: 'nsh-agent',
      nodes: [{ id: 0, name: 'localhost', labels: [] }],
    });
  });

  it('gives the file that it came from', async () => {
    const path = space.write('lab.yaml', small);
    const { file, ...rest } = await loadCluster({ flag: path, env: space.env });
    expect(rest).toEqual({ cluster: 'lab', agentCommand: 'nsh-agent', nodes: [{ id: 1, name: 'web1', labels: [] }] });
    expect(file).toEqual({ path, mtimeMs: statSync(path).mtimeMs, size: small.length });
  });

  it('refuses a named file that is missing, naming what named it', async () => {
    const path = join(space.directory, 'none.yaml');
    await expect(loadCluster({ flag: path, env: space.env })).rejects.toThrow(
      `cluster file ${path}, named by --cluster: no such file`,
    );
    await expect(loadCluster({ env: { ...space.env, NSH_CLUSTER: path } })).rejects.toThrow('named by NSH_CLUSTER');
  });

  it.each([
    ['a directory', (path: string) => mkdirSync(path), 'is a directory, not a regular file'],
    ['not UTF-8', (path: string) => writeFileSync(path, Buffer.from([0x63, 0xff, 0xfe])), 'is not UTF-8 text'],
  ])('refuses what is %s', async (_, make, message) => {
    const path = join(space.directory, 'odd.yaml');
    make(path);
    await expect(loadCluster({ flag: path, env: space.env })).rejects.toThrow(message);
  });
});

describe('the cache', () => {
  const cacheDirectory = (): string => join(space.directory, 'home/.cache/nsh');
  const cacheFile = (): string => join(cacheDirectory(), readdirSync(cacheDirectory())[0] ?? 'none');
  /** Its ctime, which no program can set, must be a second old before a file is cached: one wait for all tests. */
  const files = makeWorkspace();
  const ready = Promise.all([
    settle('small.yaml', small),
    settle('home.yaml', small.replace('nodes', 'sshConfig: ~/cfg\nnodes')),
    settle('changing.yaml', small),
  ]);
  afterAll(() => files.remove());
  async function settle(name: string, text: string): Promise<string> {
    const path = files.write(name, text);
    await vi.waitUntil(() => Date.now() - statSync(path).ctimeMs > 1_100, { timeout: 5_000 });
    return path;
  }
  const load = (path: string) => loadCluster({ flag: path, env: space.env });

  it('answers instead of the YAML parser, and only its owner can read it', async () => {
    const [path] = await ready;
    const first = await load(path);
    expect(statSync(cacheDirectory()).mode & 0o777).toBe(0o700);
    expect(statSync(cacheFile()).mode & 0o777).toBe(0o600);
    expect(readdirSync(cacheDirectory())).toHaveLength(1);
    expect(await load(path)).toEqual(first);
    // A changed cache shows that it is what answers.
    writeFileSync(cacheFile(), readFileSync(cacheFile(), 'utf8').replace('"web1"', '"web9"'));
    expect((await load(path)).nodes[0]?.name).toBe('web9');
  });

  it('is passed over when the file has changed', async () => {
    const path = (await ready)[2];
    expect((await load(path)).nodes[0]?.name).toBe('web1');
    expect(readdirSync(cacheDirectory())).toHaveLength(1);
    files.write('changing.yaml', small.replace('web1', 'web2'));
    expect((await load(path)).nodes[0]?.name).toBe('web2');
  });

  it.each([
    ['damaged', (file: string) => writeFileSync(file, '{"key":')],
    ['of another form', (file: string) => writeFileSync(file, readFileSync(file, 'utf8').replace('"id":1', '"id":0'))],
    [
      'with unknown fields',
      (file: string) => writeFileSync(file, readFileSync(file, 'utf8').replace('"id":1', '"id":1,"x":2')),
    ],
    [
      'writable by others',
      (file: string) => {
        writeFileSync(file, readFileSync(file, 'utf8').replace('"web1"', '"web9"'));
        chmodSync(file, 0o666);
      },
    ],
    [
      'a link',
      (file: string) => {
        const target = `${file}.target`;
        writeFileSync(target, readFileSync(file, 'utf8').replace('"web1"', '"web9"'));
        rmSync(file);
        symlinkSync(target, file);
      },
    ],
    [
      'a directory',
      (file: string) => {
        rmSync(file);
        mkdirSync(file);
      },
    ],
  ])('is passed over where it is %s', async (_, spoil) => {
    const [path] = await ready;
    await load(path);
    spoil(cacheFile());
    expect((await load(path)).nodes[0]?.name).toBe('web1');
  });

  it('is not written for a file that has just changed', async () => {
    const path = join(space.directory, 'new.yaml');
    writeFileSync(path, small);
    await load(path);
    expect(() => readdirSync(cacheDirectory())).toThrow('ENOENT');
  });

  it('that cannot be written costs nothing but time', async () => {
    const [path] = await ready;
    writeFileSync(join(space.directory, 'home'), 'in the way');
    expect((await load(path)).nodes).toHaveLength(1);
  });

  it('keeps paths that begin with ~ apart for each home directory', async () => {
    const [, path] = await ready;
    const shared = { XDG_CACHE_HOME: join(space.directory, 'cache') };
    expect((await loadCluster({ flag: path, env: { ...shared, HOME: '/home/a' } })).sshConfig).toBe('/home/a/cfg');
    expect((await loadCluster({ flag: path, env: { ...shared, HOME: '/home/b' } })).sshConfig).toBe('/home/b/cfg');
  });
});
