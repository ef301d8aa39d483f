import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { nodesetCommand } from '../../shell/commands/nodeset.ts';
import type { ClusterSpec } from '../../src/cluster/node-spec.ts';
import { nodeId } from '../../src/ids/gpid.ts';
import { hasClusterShell, runNodesetTool } from '../ids/nodeset/clustershell.ts';
import { runCommand } from './run-command.ts';
import { storeClient } from './store-client.ts';

const groups: Readonly<Record<string, string>> = {
  all: 'web1 web2 web3 db1 db2',
  gpu: 'web2 db1',
  web: 'web1 web2 web3',
};
const names = (groups['all'] ?? '').split(' ');
const spec: ClusterSpec = {
  cluster: 'lab',
  agentCommand: 'nsh-agent',
  nodes: names.map((name, index) => ({
    id: nodeId(index + 1),
    name,
    labels: ['gpu', 'web'].filter((label) => groups[label]?.split(' ').includes(name)),
  })),
};

let directory: string;
let groupsConfig: string;
beforeAll(() => {
  directory = mkdtempSync(join(tmpdir(), 'nsh-nodeset-'));
  const file = join(directory, 'groups');
  groupsConfig = join(directory, 'groups.conf');
  writeFileSync(
    file,
    Object.entries(groups)
      .map(([label, nodes]) => `${label}: ${nodes}\n`)
      .join(''),
  );
  const upcalls = [
    `map: sed -n 's/^$GROUP:\\(.*\\)/\\1/p' ${file}`,
    `all: sed -n 's/^all:\\(.*\\)/\\1/p' ${file}`,
    `list: sed -n 's/^\\([0-9A-Za-z_-]*\\):.*/\\1/p' ${file}`,
  ];
  writeFileSync(groupsConfig, `[Main]\ndefault: lab\n\n[lab]\n${upcalls.join('\n')}\n`);
});
afterAll(() => rmSync(directory, { recursive: true, force: true }));

describe.skipIf(!hasClusterShell)('nsh nodeset answers as the nodeset tool', () => {
  it.each([
    '-f web1 web2 web3',
    '-e web[1-3]',
    '-c web[1-3] db1 web2',
    '-f web[1-5] -x web3',
    '-f web[1-5] -i web[3-9]',
    '-f web[1-5] -X web[3-9]',
    '-f web[1-5] -x web3 web3 -X db1',
    '-f -x web3 web[1-5]',
    '-f -a -x web[1-2]',
    '-f -a -i @gpu -x db1',
    '-f -X web1 -x web2 -i web2 web2',
    '-f @web!web2 db9',
    '-f @* -x @gpu',
    '-f web*',
    '-e -a',
    '-c -a',
    '-ea',
    '-S , -e web[1-3]',
    '-S \\n -e web[1-3]',
    '-S \\t -e web[1-3]',
    '-e -O %s.lan web[1-3]',
    '-f -O %s.lan web[1-3]',
    '-f -O x%s0 web[1-3]',
    '-c -O %s%% web[1-3]',
    '-f -I 0 web[1-5]',
    '-f -I 1-2,4 web[1-5]',
    '-f -I 0-20/3 r[1-4]n[1-4]',
    '-f -I 7 web[1-5]',
    '-f --split 3 web[1-8]',
    '-f --split=2 r[1-2]n[1-3],x',
    '-e --split 9 web[1-2]',
    '-c --split 3 web[1-8]',
    '-f --split 1 web[1-8]',
    '-f --contiguous web[1-3,5,8-9],db1',
    '-e --contiguous r[1,3]n[1-2,4]',
    '-f --contiguous n[08-12,1-2]',
    '-f --autostep 3 n[1,3,5,7,20]',
    '-f --autostep 5 n[1,3,5,7,20]',
    '-f --autostep auto n[1,3,5,7]',
    '-f --autostep auto n[1,3,5,7,20]',
    '-f --autostep 50% n[1,3,5,7,20,31]',
    '-f --autostep 4 n[0-20/4,21,23]',
    '-f --autostep 3 r[1,3,5]n[2,4,6]',
    '-f --autostep 3 n[01,03,05,7,9,11]',
    '-f web1!web1',
    '-e web1!web1',
    '-c web1!web1',
    '-f -q -x web1 web2',
    '-l',
    '-ll',
    '-lll',
    '-l web2',
    '-ll web[1-2]',
    '-lll web2 db9',
    '-ll -a',
    '-f web[1-',
    '-f web1,',
    '-f web[1-3] -x web[',
    '-f -I 3-1 web1',
  ])('to %s', async (line) => {
    const args = line.split(' ');
    const tool = runNodesetTool(['--groupsconf', groupsConfig, ...args]);
    const ours = await runCommand(nodesetCommand, args, { spec });
    expect({ status: ours.status, stdout: ours.stdout }).toEqual({ status: tool.status, stdout: tool.stdout });
    expect(ours.stderr === '').toBe(tool.stderr === '');
  });

  it.each([
    ['-f', 'web1 web2\nweb3 # not web4\n'],
    ['-c', ''],
    ['-e -', 'b1 a[1-2]\n'],
    ['-f web1 -', 'web2\n\n\n  web3\t web5\n'],
    ['-f web[1-9] -x -', 'web[2-3]\nweb5\n'],
    ['-f -i web[1-2]', 'web[2-3]\n'],
    ['-f', '@gpu\n'],
    ['-f -a -x -', '@gpu\n'],
    ['-f', 'web[1\n'],
  ])('to %s with %j on standard input', async (line, stdin) => {
    const args = line.split(' ');
    const tool = runNodesetTool(['--groupsconf', groupsConfig, ...args], stdin);
    const ours = await runCommand(nodesetCommand, args, { spec, stdin });
    expect({ status: ours.status, stdout: ours.stdout }).toEqual({ status: tool.status, stdout: tool.stdout });
  });

  it.each(['', 'web1', '-e -f web1', '-z', '-f --split 2 --contiguous web1', '-f -x'])(
    'to a wrong call (%s) with exit status 2',
    async (line) => {
      const args = line === '' ? [] : line.split(' ');
      expect(runNodesetTool(args).status).toBe(2);
      await expect(runCommand(nodesetCommand, args)).rejects.toMatchObject({ code: 'usage', exitStatus: 2 });
    },
  );
});

describe('nsh nodeset', () => {
  it('names the fault and its column', async () => {
    const { status, stderr, stdout } = await runCommand(nodesetCommand, ['-f', 'web[1-5,9-7]']);
    expect({ status, stderr, stdout }).toEqual({
      status: 1,
      stderr: "nsh nodeset: nodeset 'web[1-5,9-7]', column 9: '9-7' runs backwards\n",
      stdout: '',
    });
  });

  it('refuses a label that nobody has, where the tool is silent', async () => {
    const { status, stderr } = await runCommand(nodesetCommand, ['-f', '@gpo'], {
      spec,
      client: storeClient(spec.nodes),
    });
    expect(status).toBe(1);
    expect(stderr).toBe(
      "nsh nodeset: nodeset '@gpo', column 1: no node has the label 'gpo', and no group is called so; did you mean '@gpu'?\n",
    );
  });

  it('takes options after operands too', async () => {
    expect((await runCommand(nodesetCommand, ['web[1-3]', '-xweb2', '--fold'])).stdout).toBe('web[1,3]\n');
  });

  it.each(['-f web[1-3]', '-c a,b!a', '-e -S, r[1-2]n1'])('needs no cluster for %s', async (line) => {
    expect((await runCommand(nodesetCommand, line.split(' '))).status).toBe(0);
  });

  it.each(['--split 0', '--split x', '--autostep 2', '--autostep 0%', '--autostep x'])('refuses %s', async (line) => {
    await expect(runCommand(nodesetCommand, ['-f', ...line.split(' '), 'a'])).rejects.toMatchObject({ code: 'usage' });
  });
});
