/** Getting to an agent: hosts without one, shells that print before it, and what a person sees meanwhile. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';
import { agentCommand } from '../hosts/cluster-file.ts';
import { startCluster, type NshCluster } from './nsh-cluster.ts';
import { NshTerminal } from './nsh-terminal.ts';

let cluster: NshCluster;
const terminals: NshTerminal[] = [];
beforeAll(async () => {
  cluster = await startCluster({ count: 2 });
});
afterEach(({ task }) => cluster.cleanAfter(task));
afterEach(async () => {
  for (const terminal of terminals.splice(0)) await terminal.close();
  for (const host of cluster.hosts.hosts)
    for (const name of ['.bashrc', '.bash_profile']) await host.exec(['rm', '-f', join(host.home, name)]);
  await cluster.nsh(['agent', 'stop', '--kill', '-n', 'n[1-2]']);
  await cluster.nsh(['agent', 'stop']);
  await cluster.hosts.clusterFile();
});
afterAll(() => cluster.stop());

function startup(node: string, text: string): void {
  for (const name of ['.bashrc', '.bash_profile']) writeFileSync(join(cluster.host(node).home, name), text);
}

test("a host without the agent's program says what to do, for each node and every command", async () => {
  await cluster.hosts.clusterFile({ agentCommand: '/opt/nsh/no-such-agent' });
  const { status, stderr } = await cluster.nsh(['nodes']);
  expect(status).toBe(3);
  for (const node of ['n1', 'n2']) {
    expect(stderr).toContain(
      `nsh nodes: ${node}: no agent on the host: '/opt/nsh/no-such-agent' was not found there (bash: `,
    );
    expect(stderr).toContain(`Install nsh on ${node}, or set agentCommand in the cluster file`);
  }
  const run = await cluster.nsh(['run', '-T', '-n', 'n1', '--', 'true']);
  expect([run.status, run.stderr]).toEqual([255, expect.stringContaining('no agent on the host')]);
  expect((await cluster.nsh(['kill', '10000004'])).status).toBe(1);
  expect((await cluster.nsh(['wait', '10000004'])).status).toBe(255);
});

test('a program that may not run, or is something else, is named with what it said', async () => {
  await cluster.hosts.clusterFile({ agentCommand: '/etc/passwd' });
  expect((await cluster.nsh(['nodes', 'n1'])).stderr).toContain("'/etc/passwd' may not run there");
  await cluster.hosts.clusterFile({ agentCommand: "sh -c 'echo no licence >&2; exit 9'" });
  expect((await cluster.nsh(['nodes', 'n1'])).stderr).toMatch(/n1: .*ended with status 9 \(no licence\)/);
  await cluster.hosts.clusterFile({ agentCommand: 'true' });
  const { status, stderr } = await cluster.nsh(['nodes', 'n1']);
  expect(status).toBe(3);
  expect(stderr).toContain(
    "n1: 'true start' did not say where its agent listens. agentCommand in the cluster file must run nsh-agent: " +
      "try 'true --version' on n1",
  );
});

test('a node without Node is told from one without nsh', async () => {
  await cluster.hosts.clusterFile({ agentCommand: `env -i /usr/bin/env node ${agentCommand.split(' ')[1]}` });
  const { status, stderr } = await cluster.nsh(['nodes', 'n1']);
  expect(status === 0 || /n1: no agent on the host/.test(stderr)).toBe(true);
});

test('banners of agentCommand and of login shells are passed over', async () => {
  await cluster.hosts.clusterFile({ agentCommand: `echo 'Welcome {"ok":false}'; echo to you >&2; ${agentCommand}` });
  startup('n1', 'echo "*** property of nobody ***"; echo "{}"; printf "no newline at the end"; echo warning >&2\n');
  startup('n2', 'echo; echo nsh-0123456789abcdef; yes banner | head -n 20000\n');
  const { status, stderr, stdout } = await cluster.nsh(['nodes']);
  expect([status, stderr]).toEqual([0, '']);
  expect(stdout).toMatch(/n1 +up[^]*n2 +up/);
  const run = await cluster.nsh(['run', '-T', '-n', 'n1', '--', 'echo', 'clean']);
  expect([run.stdout, run.stderr, run.status]).toEqual(['clean\n', '', 0]);
});

test('on a terminal the wait for a slow node is shown after a second and erased; off it nothing is', async () => {
  startup('n1', 'sleep 2\n');
  const terminal = new NshTerminal(['run', '-n', 'n1', '--', 'echo', 'there'], cluster.env);
  terminals.push(terminal);
  const began = performance.now();
  await terminal.untilShown(/(connecting to|logging in to|starting the agent on) n1/);
  expect(performance.now() - began).toBeGreaterThan(900);
  expect(terminal.shown).not.toContain('there');
  expect(await terminal.status()).toBe(0);
  expect(terminal.shown).toMatch(/n1.{1,12}\r\u001b\[K(.*)there\r\n/s);
  await cluster.nsh(['agent', 'stop', '--kill', '-n', 'n1']);
  await cluster.nsh(['agent', 'stop']);
  const piped = await cluster.nsh(['run', '-T', '-n', 'n1', '--', 'echo', 'there']);
  expect([piped.stdout, piped.stderr, piped.status]).toEqual(['there\n', '', 0]);
  expect(piped.tookMs).toBeGreaterThan(2_000);
});

test('the line goes when the node is there, also where the command then says nothing for long', async () => {
  startup('n1', 'sleep 2\n');
  const terminal = new NshTerminal(['run', '-T', '-n', 'n1', '--', 'sleep', '3'], cluster.env);
  terminals.push(terminal);
  await terminal.untilShown(/ n1\S*\u001b\[K/);
  await terminal.untilShown(/ n1.*\r\u001b\[K$/s);
  const shown = terminal.shown;
  expect(await terminal.status()).toBe(0);
  expect(terminal.shown.startsWith(`${shown}[status 0`)).toBe(true);
});

test('a node that is there within the second is not mentioned, however long the command runs', async () => {
  await cluster.nsh(['nodes']);
  await cluster.nsh(['agent', 'stop']);
  const terminal = new NshTerminal(['run', '-T', '-n', 'n1', '--', 'sleep', '3'], cluster.env);
  terminals.push(terminal);
  expect(await terminal.status()).toBe(0);
  const shown = terminal.shown.replace(/\r[^\r]* n1[^\r]*\r\u001b\[K/g, '');
  expect(shown).toMatch(/^\[status 0/);
});
