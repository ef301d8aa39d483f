import { mkdirSync, readlinkSync, renameSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { watchCluster, type ClusterWatch } from '../../../src/cluster/file/index.ts';
import { makeWorkspace, type Workspace } from './workspace.ts';

const fileWith = (...names: string[]): string =>
  `cluster: lab\nnodes:\n${names.map((name, index) => `  - {id: ${index + 1}, name: ${name}}\n`).join('')}`;

let space: Workspace;
let path: string;
let watch: ClusterWatch | undefined;
let seen: string[];

async function start(watched = path): Promise<void> {
  watch = await watchCluster(
    watched,
    (spec) => seen.push(spec.nodes.map((node) => node.name).join(',')),
    (error) => seen.push(`${error.code}: ${error.message.replaceAll(watched, 'FILE')}`),
  );
}

beforeEach(() => {
  space = makeWorkspace();
  path = space.write('conf/lab.yaml', fileWith('web1'));
  seen = [];
});
afterEach(async () => {
  await watch?.close();
  watch = undefined;
  space.remove();
});

const last = (): string | undefined => seen.at(-1);
const patience = { timeout: 8_000, interval: 20 };

describe('a watched cluster file', () => {
  it('is read again when it is written in place, as often as that happens', async () => {
    await start();
    writeFileSync(path, fileWith('web2'));
    await expect.poll(last, patience).toMatch(/^web2$/);
    writeFileSync(path, fileWith('web2', 'web3'));
    await expect.poll(last, patience).toMatch(/^web2,web3$/);
  });

  it('is read again when an editor renames another file over it, as often as that happens', async () => {
    await start();
    for (const name of ['a', 'b', 'c']) {
      writeFileSync(`${path}.new`, fileWith(name));
      renameSync(`${path}.new`, path);
      await expect.poll(last, patience).toMatch(new RegExp(`^${name}$`));
    }
  });

  it('is read again when it was moved away and written anew', async () => {
    await start();
    renameSync(path, `${path}~`);
    writeFileSync(path, fileWith('web7'));
    await expect.poll(last, patience).toMatch(/^web7$/);
  });

  it('reports what is broken, and then what is mended', async () => {
    await start();
    writeFileSync(path, 'cluster: lab\nnodes:\n  - {id: 0, name: web1}\n');
    await expect.poll(last, patience).toMatch(/^clusterFile: FILE:3:10: id must be a number from 1 to 99999, not 0$/);
    writeFileSync(path, fileWith('web4'));
    await expect.poll(last, patience).toMatch(/^web4$/);
  });

  it('reports that it is gone, and then that it is back', async () => {
    await start();
    rmSync(path);
    await expect
      .poll(last, patience)
      .toMatch(/^clusterFile: cluster file FILE, named by the running agent: no such file$/);
    writeFileSync(path, fileWith('web5'));
    await expect.poll(last, patience).toMatch(/^web5$/);
  });

  it('behind a link is read again when its target changes, and when the link does', async () => {
    const link = join(space.directory, 'home/lab.yaml');
    mkdirSync(join(space.directory, 'home'));
    symlinkSync(path, link);
    await start(link);
    writeFileSync(path, fileWith('web6'));
    await expect.poll(last, patience).toMatch(/^web6$/);
    const other = space.write('conf/other.yaml', fileWith('web7'));
    symlinkSync(other, `${link}.new`);
    renameSync(`${link}.new`, link);
    await expect.poll(last, patience).toMatch(/^web7$/);
    expect(readlinkSync(link)).toBe(other);
  });

  it('is not read for changes of its neighbours, and a burst of writes counts once', async () => {
    await start();
    for (let round = 0; round < 20; round += 1) {
      writeFileSync(join(space.directory, 'conf/neighbour.yaml'), String(round));
      writeFileSync(path, fileWith(`burst${round}`));
    }
    await expect.poll(last, patience).toMatch(/^burst19$/);
    expect(seen.length).toBeLessThanOrEqual(3);
  });

  it('is let go of by close', async () => {
    await start();
    await watch?.close();
    writeFileSync(path, fileWith('late'));
    const again: string[] = [];
    const second = await watchCluster(
      path,
      (spec) => again.push(spec.cluster),
      () => undefined,
    );
    writeFileSync(path, fileWith('later'));
    await expect.poll(() => again.length, { timeout: 8_000 }).toBeGreaterThan(0);
    await second.close();
    expect(seen).toEqual([]);
  });
});
