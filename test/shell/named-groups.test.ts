/** Groups of processes by name, where nodes or processes are named. */
import { describe, expect, it } from 'vitest';
import { namedNodes } from '../../shell/nodeset/named-nodes.ts';
import { NshError } from '../../src/protocol/errors.ts';
import { World } from './group-world.ts';

async function withGroup(): Promise<World> {
  const world = new World();
  for (const node of [1, 2, 3]) await world.come(node);
  await world.nsh('group start cache -n 4 -- serve');
  await world.act(1, 'cache', [{ slot: 1 }, { slot: 2, phase: 'waiting' }]);
  await world.act(3, 'cache', [{ slot: 3 }, { slot: 4, phase: 'ended' }]);
  return world;
}

const never = new AbortController().signal;

describe('a nodeset', () => {
  it('names the nodes that run a group, or a replica of it, also while one waits for its restart', async () => {
    const { client } = await withGroup();
    const names = async (text: string): Promise<string> =>
      (await namedNodes(client, text, never)).map(({ name }) => name).join(' ');
    expect(await names('@cache')).toBe('web1 db1');
    expect(await names('@cache/2')).toBe('web1');
    expect(await names('@all!@cache')).toBe('web2');
    expect(await names('@group:cache&@front')).toBe('web1');
    await expect(names('@cache/4')).rejects.toThrow("nodeset '@cache/4' is empty: cache/4 runs on no node now");
    await expect(names('@cache/5')).rejects.toThrow(/no node has the label 'cache\/5', and no group is called so/);
    await expect(names('@cahce')).rejects.toThrow(/and no group is called so; did you mean '@cache'\?/);
    await expect(names('@fornt')).rejects.toThrow(/did you mean '@front'\?/);
  });

  it('asks the store only where a word behind @ is no label', async () => {
    const world = await withGroup();
    let asked = 0;
    const { client } = world;
    const counting = {
      ...client,
      store: async () => {
        asked++;
        return await client.store();
      },
    };
    for (const text of ['@front', 'web1,@all!db1', '*']) await namedNodes(counting, text, never);
    expect(asked).toBe(0);
    await namedNodes(counting, '@cache,@cache/1', never);
    expect(asked).toBe(1);
  });

  it('says that groups cannot be told where the store cannot be asked', async () => {
    const { client } = await withGroup();
    const deaf = { ...client, store: () => Promise.reject(new NshError('unreachable', 'web1: connection refused')) };
    await expect(namedNodes(deaf, '@frnt', never)).rejects.toMatchObject({
      code: 'nodeset',
      message:
        "no node has the label 'frnt'; did you mean '@front'?\nwhich groups there are cannot be told: web1: connection refused",
    });
  });

  it('is so for the commands that take one', async () => {
    const world = await withGroup();
    expect((await world.nsh('nodeset -f @cache')).stdout).toBe('db1,web1\n');
    expect((await world.nsh('nodeset -c @front -x @cache')).stdout).toBe('1\n');
    await world.nsh('node drain @cache');
    expect((await world.nsh('node drain @cache')).stderr).toBe(
      'nsh node: web1 is drained already\nnsh node: db1 is drained already\n',
    );
  });
});
