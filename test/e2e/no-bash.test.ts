/** A node that has no bash: sh runs what is meant for it. */
import { afterAll, beforeAll, expect, it } from 'vitest';
import { startCluster, type NshCluster } from './nsh-cluster.ts';
import { withoutBash, type AgentWithoutBash } from './without-bash.ts';

let cluster: NshCluster;
let agent: AgentWithoutBash;
beforeAll(async () => {
  agent = await withoutBash('n1');
  cluster = await startCluster({ count: 2, file: { agentCommand: agent.agentCommand } });
});
afterAll(async () => {
  await cluster.stop();
  await agent.remove();
});

const notice =
  'nsh: n1: there is no bash: sh runs this, and has of the session only the directory and exported variables\n';

it('gets the directory and exported variables, and the person is told once', async () => {
  const { stdout, stderr, status } = await cluster.nsh([
    '-c',
    [
      'export x="a b"; y=hidden; cd /usr; unset LANG; f() { :; }; set -- 1 2',
      '@n1 echo "$x [$y] $PWD $# $2 ${LANG-gone}"',
      '@n1 x=far; @n1 cd /; echo "$x $PWD $?"',
      '@n1 exit 3; echo $?; @n1 f 2>/dev/null; echo $?',
    ].join('\n'),
  ]);
  expect({ stdout, stderr, status }).toEqual({
    stdout: 'a b [] /usr 2 2 gone\na b /usr 0\n3\n127\n',
    stderr: notice,
    status: 0,
  });
});

it('takes part in pipelines and among several nodes', async () => {
  const { stdout, stderr } = await cluster.nsh([
    '-c',
    'echo data | @n1 tr a-z A-Z | @n2 cat; echo ${PIPESTATUS[@]}; @n1,n2 echo here | sort; @n1 { exit 4; } | @n1 cat; echo ${PIPESTATUS[@]}',
  ]);
  expect(stdout).toBe('DATA\n0 0 0\nn1: here\nn2: here\n0\n');
  expect(stderr).toBe(notice);
});

it('is a place to move to, too', async () => {
  const { stdout } = await cluster.nsh(['-c', 'on n1; printenv NSH_NODE; cd /; echo $PWD; on localhost; echo back']);
  expect(stdout.split('\n')).toEqual(['1', expect.any(String), 'back', '']);
});
