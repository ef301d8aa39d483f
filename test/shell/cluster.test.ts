/** `nsh cluster` on a store in this process. */
import { describe, expect, it } from 'vitest';
import { clusterCommand } from '../../shell/commands/cluster.ts';
import { reportDifference } from '../../shell/cluster/record.ts';
import { readRecord } from '../../src/coordination/cluster-record.ts';
import { OracleCore, OracleStore } from '../store/oracle.ts';
import { runCommand } from './run-command.ts';
import { nodesOf, storeClient } from './store-client.ts';

const cluster = async (core: OracleCore, nodes: readonly string[], ...args: readonly string[]) =>
  await runCommand(clusterCommand, args, { client: storeClient(nodesOf(...nodes), core) });

describe('nsh cluster', () => {
  it('shows the difference, applies the file, and finds it alike then', async () => {
    const core = new OracleCore();
    expect(await cluster(core, ['a'], 'show')).toMatchObject({ status: 1, stdout: '' });
    expect(await cluster(core, ['a', 'b=gpu+ssd'], 'apply', '--yes')).toEqual({
      status: 0,
      stdout: '+ a (1)\n+ b (2) [gpu, ssd]\n',
      stderr: '',
    });
    expect(await cluster(core, ['a', 'b=ssd+gpu'], 'diff')).toMatchObject({ status: 0, stdout: '' });
    expect(await cluster(core, ['x=new', 'b=ssd', 'c'], 'diff')).toMatchObject({
      status: 1,
      stdout: '~ a (1): name a -> x, labels [] -> [new]\n~ b (2): labels [gpu, ssd] -> [ssd]\n+ c (3)\n',
    });
    expect((await cluster(core, ['a'], 'diff')).stdout).toBe('- b (2) [gpu, ssd]\n');
    expect((await cluster(core, [], 'show')).stdout).toBe('ID  NODE  LABELS\n 1  a\n 2  b     gpu,ssd\n');
    const shown = JSON.parse((await cluster(core, [], 'show', '--json')).stdout) as { nodes: unknown };
    expect(shown.nodes).toEqual([
      { id: 1, name: 'a', labels: [] },
      { id: 2, name: 'b', labels: ['gpu', 'ssd'] },
    ]);
  });

  it('applies nothing without a yes, where nobody can be asked', async () => {
    const core = new OracleCore();
    await expect(cluster(core, ['a'], 'apply')).rejects.toMatchObject({ code: 'usage' });
    expect((await readRecord(new OracleStore(core))).record).toBeUndefined();
  });

  it('applies nothing where the record was changed since the difference was shown, and tells the new one', async () => {
    const core = new OracleCore();
    await cluster(core, ['a'], 'apply', '-y');
    let isFirst = true;
    const client = storeClient(nodesOf('a', 'b'), core, (store) => {
      const write = store.txn.bind(store);
      store.txn = async (...params) => {
        if (isFirst) {
          isFirst = false;
          await cluster(core, ['a', 'c'], 'apply', '-y');
        }
        return await write(...params);
      };
      return store;
    });
    const { status, stderr } = await runCommand(clusterCommand, ['apply', '-y'], { client });
    expect(status).toBe(1);
    expect(stderr).toMatch(/was changed meanwhile by .*nothing was applied.*\n~ c \(2\): name c -> b\n$/);
    expect((await readRecord(new OracleStore(core))).record?.nodes.map(({ name }) => name)).toEqual(['a', 'c']);
  });

  it('refuses what is no verb or does not belong to it', async () => {
    const core = new OracleCore();
    for (const args of [[], ['aply'], ['show', 'x'], ['apply', '--json'], ['diff', '-y']])
      await expect(cluster(core, ['a'], ...args)).rejects.toMatchObject({ code: 'usage' });
  });

  it('is pointed to, in one line, where the cluster file differs', async () => {
    const core = new OracleCore();
    await cluster(core, ['a', 'b'], 'apply', '-y');
    const seen = await readRecord(new OracleStore(core));
    expect(reportDifference(storeClient(nodesOf('a', 'b')), seen)).toBeUndefined();
    expect(reportDifference(storeClient(nodesOf('a', 'x', 'c')), seen)).toMatch(
      /^\/c\.yaml differs from the cluster of record \(x is changed, c is new\).*'nsh cluster apply'/,
    );
  });
});
