/** Groups and the cluster of record over the nodes of a demo, with nothing set up: the store is embedded in the agent of the first node. */
import { execFile } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import { startDemoCluster, type DemoCluster } from '../../shell/demo/demo-cluster.ts';
import { nshProgram } from './nsh-program.ts';
import { NshTerminal } from './nsh-terminal.ts';

let cluster: DemoCluster;

beforeAll(async () => {
  cluster = await startDemoCluster({ nodes: 3, env: process.env });
});
afterAll(async () => {
  const left = await cluster.stop();
  if (left.length > 0) throw new Error(`processes that do not end: ${left.join(' ')}`);
});

interface Result {
  readonly status: number;
  readonly stdout: string;
  readonly stderr: string;
}

const nsh = async (...words: readonly string[]): Promise<Result> =>
  await new Promise((resolve) => {
    execFile(process.execPath, [nshProgram, ...words], { env: cluster.env }, (error, stdout, stderr) => {
      resolve({ status: error === null ? 0 : Number(error.code ?? 255), stdout, stderr });
    });
  });
const nodesOf = async (group: string): Promise<string[]> => {
  const shown = JSON.parse((await nsh('group', 'show', '--json', group)).stdout) as { slots: { node: string }[] };
  return shown.slots.map(({ node }) => node);
};
const done = { status: 0, stdout: '', stderr: '' };

describe('the nodes of a demo', () => {
  it('have a group spread over all of them, and one is drained of it and comes back', async () => {
    onTestFinished(async () => {
      await nsh('node', 'undrain', 'n2');
      await nsh('group', 'rm', '--wait=20s', 'web');
    });
    expect(await nsh('group', 'start', '--wait=20s', 'web', '-n', '3', '--', 'sleep', '1000')).toEqual(done);
    expect(await nodesOf('web')).toEqual(['n1', 'n2', 'n3']);
    expect(await nsh('node', 'drain', '--wait=20s', 'n2')).toEqual(done);
    expect(await nodesOf('web')).toEqual(['n1', expect.stringMatching(/^n[13]$/), 'n3']);
    expect(await nsh('node', 'undrain', 'n2')).toEqual(done);
    expect(await nsh('scale', '--wait=20s', 'web=4')).toEqual(done);
    expect((await nodesOf('web')).includes('n2')).toBe(true);
  });

  it('go by the record, not by the file, until a person has seen the difference and applied it', async () => {
    expect((await nsh('cluster', 'diff')).stdout).toBe('');
    const file = join(cluster.directory, 'cluster.yaml');
    const text = readFileSync(file, 'utf8');
    onTestFinished(async () => {
      for (const terminal of [no, yes]) await terminal?.close();
      await nsh('group', 'rm', '--wait=20s', 'train');
      writeFileSync(file, text);
      await nsh('cluster', 'apply', '--yes');
    });
    let no: NshTerminal | undefined;
    let yes: NshTerminal | undefined;
    writeFileSync(file, text.replace('name: n3, labels: [demo]', 'name: n3, labels: [demo, gpu]'));
    expect(await nsh('cluster', 'diff')).toMatchObject({
      status: 1,
      stdout: '~ n3 (3): labels [demo] -> [demo, gpu]\n',
    });
    const refused = await nsh('group', 'start', 'train', '--on', '@gpu', '--', 'sleep', '1000');
    expect(refused.status).toBe(1);
    expect(refused.stderr).toMatch(/cluster\.yaml differs from the cluster of record \(n3 is changed\)/);
    expect(refused.stderr).toMatch(/no node could run all of train/);
    expect((await nsh('store', 'status')).stderr).toContain('differs from the cluster of record');

    no = new NshTerminal(['cluster', 'apply'], cluster.env);
    await no.untilShown('Apply this to the cluster of record? [y/N] ');
    expect(no.shown).toContain('labels [demo] -> [demo, gpu]');
    no.type('\r');
    expect(await no.status()).toBe(1);
    expect((await nsh('cluster', 'diff')).status).toBe(1);
    yes = new NshTerminal(['cluster', 'apply'], cluster.env);
    await yes.untilShown('[y/N] ');
    yes.type('y\r');
    expect(await yes.status()).toBe(0);
    expect((await nsh('cluster', 'diff')).status).toBe(0);
    expect(await nsh('group', 'start', '--wait=20s', 'train', '--on', '@gpu', '--', 'sleep', '1000')).toEqual(done);
    expect(await nodesOf('train')).toEqual(['n3']);
  });
});
