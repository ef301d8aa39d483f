/** Lines that are wrong, and output that cannot be written: what is said, and the exit status. */
import { execFile } from 'node:child_process';
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';
import { startCluster, type NshCluster } from './nsh-cluster.ts';
import { nshProgram } from './nsh-program.ts';

let cluster: NshCluster;
beforeAll(async () => {
  cluster = await startCluster({ count: 1 });
});
afterEach(({ task }) => cluster.cleanAfter(task));
afterAll(() => cluster.stop());

/** With stdout or stderr on /dev/full. */
function onFullDisk(args: readonly string[], descriptor: 1 | 2): Promise<{ said: string; status: number }> {
  const script = `"$0" "$@" ${descriptor}>/dev/full`;
  const words = ['-c', script, process.execPath, nshProgram, ...args];
  return new Promise((resolve) => {
    const child = execFile('sh', words, { env: { ...cluster.env }, timeout: 30_000 }, (_, stdout, stderr) =>
      resolve({ said: stdout + stderr, status: child.exitCode ?? -1 }),
    );
  });
}

// First of all: none of these may start an agent.
test.each([
  [['run', '--name', 'x'.repeat(129), '--', 'true'], 'run', /--name has 129 characters; 128 is the most/],
  [['run', '-C', 'x'.repeat(5000), '--', 'true'], 'run', /--directory has 5000 characters; 4096 is the most/],
  [['run', '--keep', '1X', 'true'], 'run', /invalid size '1X'/],
  [['run', '--timeout', '0', 'true'], 'run', /invalid duration '0'/],
  [['run', '--foo', 'true'], 'run', /unrecognized option '--foo'/],
  [['run'], 'run', /no command is given/],
  [['attach', '--foo', '1'], 'attach', /unrecognized option '--foo'/],
  [['attach', '--detach-keys', 'F1', '1'], 'attach', /is no key/],
  [['logs', '-n', 'x', '1'], 'logs', /invalid number 'x' for --tail/],
  [['logs'], 'logs', /one process is to be given/],
  [['wait', '--timeout', 'x', '1'], 'wait', /invalid duration 'x'/],
  [['wait'], 'wait', /no process is given/],
  [['nodes', '--foo'], 'nodes', /unrecognized option '--foo'/],
  [['nodeset'], 'nodeset', /say what to do/],
  [['nodeset', '-e', '--split', '0', 'a'], 'nodeset', /--split takes a number/],
  [['demo', '-n', '0'], 'demo', /-n takes a number of nodes/],
  [['agent', 'start', '--kill'], 'agent', /--kill goes with stop only/],
  [['agent', 'start', '--json'], 'agent', /--json goes with status only/],
  [['agent', 'stop', '--json'], 'agent', /--json goes with status only/],
  [['agent', 'frob'], 'agent', /unknown operand 'frob'/],
  [['--cluster'], '', /option '--cluster' requires an argument/],
  [['--foo'], '', /unrecognized option '--foo'/],
  [['nsh'], '', /'nsh': no such command$/m],
  [['p'], '', /'p': no such command; did you mean 'ps', 'pgrep' or 'pkill'\?/],
  [['jobs'], '', /jobs is of a session alone, .*'nsh' opens one/],
  [['\u001b[2Jlogs'], '', /'\\x1b\[2Jlogs': no such command/],
])('nsh %j is refused with status 2 and told where help is', async (args, command, why) => {
  const { stdout, stderr, status } = await cluster.nsh(args);
  expect([stdout, status]).toEqual(['', 2]);
  const name = command === '' ? 'nsh' : `nsh ${command}`;
  const [first = '', second, ...rest] = stderr.split('\n');
  expect(first.startsWith(`${name}: `)).toBe(true);
  expect(first).toMatch(why);
  expect([second, rest]).toEqual([`Try '${name} --help' for more information.`, ['']]);
  expect(cluster.localDaemons()).toEqual([]);
});

test.each([
  [['kill', '--foo', '1'], /^nsh kill: unrecognized option '--foo'\nTry 'nsh kill --help'.*\n$/],
  [['kill', '-FOO', '1'], /^nsh kill: unknown signal 'FOO'; 'nsh kill -l' lists them\nTry 'nsh kill --help'.*\n$/],
  [['ps', '--foo'], /^nsh ps: error: unknown option '--foo'\nTry 'nsh ps --help'.*\n$/],
  [['ps', '--formt', 'pid'], /^nsh ps: error: unknown option '--formt'; did you mean '--format'\?\nTry/],
  [['ps', '--info'], /^nsh ps: error: --info tells how procps was built/],
])('nsh %j is refused with status 1, as by procps', async (args, said) => {
  const { stdout, stderr, status } = await cluster.nsh(args);
  expect([stdout, status]).toEqual(['', 1]);
  expect(stderr).toMatch(said);
});

test.each([
  [['kill', '-l', '--help'], 'Usage: nsh kill'],
  [['run', '-n', 'n1', '--help'], 'Usage: nsh run'],
  [['nodes', 'n1', '--help'], 'Usage: nsh nodes'],
  [['help', 'logs'], 'Usage: nsh logs'],
  [['ps', '-V'], 'nsh '],
  [['ps', 'V'], 'nsh '],
  [['ps', '--version'], 'nsh '],
])('nsh %j prints to stdout and exits 0', async (args, begin) => {
  const { stdout, stderr, status } = await cluster.nsh(args);
  expect([stderr, status, stdout.startsWith(begin)]).toEqual(['', 0, true]);
});

test.each([['pgrep'], ['pkill']])('a wrong option of %s is refused with status 2', async (command) => {
  const { stderr, status } = await cluster.nsh([command, '--foo']);
  expect(status).toBe(2);
  expect(stderr).toBe(
    `nsh ${command}: unrecognized option '--foo'\nTry 'nsh ${command} --help' for more information.\n`,
  );
});

test.each([
  [['nodes'], 'nsh: write error: No space left on device\n'],
  [['ps', '-e'], 'nsh: write error: No space left on device\n'],
  [['--version'], 'nsh: write error: No space left on device\n'],
  [['run', '-T', '-n', 'n1', '--', 'echo', 'x'], 'nsh run: stdout: write error: No space left on device\n'],
])('nsh %j with its output on a full disk says so and exits 1', async (args, said) => {
  expect(await onFullDisk(args, 1)).toEqual({ said, status: 1 });
});

test('a message that cannot be written ends nsh with status 1, not with a stack', async () => {
  expect(await onFullDisk(['nodes', 'n9'], 2)).toEqual({ said: '', status: 1 });
});

test('nodes shows this machine as such, in the cluster file or not', async () => {
  const { stdout, status } = await cluster.nsh(['nodes', '--json', 'localhost,n1']);
  const rows = JSON.parse(stdout) as { node: string; address: string }[];
  const { user, address, port } = cluster.host('n1').facts;
  expect(status).toBe(0);
  expect(Object.fromEntries(rows.map((row) => [row.node, row.address]))).toEqual({
    localhost: 'this machine',
    n1: `${user}@${address}:${port}`,
  });
});

test('the environment of a process that wrote its title over it has no empty variables', async () => {
  const { stdout } = await cluster.nsh(['ps', '-C', 'sshd', '--json', '-o', 'environ']);
  const rows = JSON.parse(stdout) as { environ: string[] | null }[];
  expect(rows.length).toBeGreaterThan(0);
  expect(rows.flatMap(({ environ }) => environ ?? []).filter((variable) => variable === '')).toEqual([]);
});

test('a PID that does not exist is taken for a slip only where one digit is wrong', async () => {
  const gpid = await cluster.start('-n', 'n1', '--', 'sleep', '1000');
  const digits = String(gpid);
  const slip = `${digits.slice(0, -1)}${(Number(digits.at(-1)) + 1) % 10}`;
  const near = await cluster.nsh(['logs', slip]);
  expect(near.status).toBe(1);
  // The slip may be another process of the node.
  expect(near.stderr).toMatch(new RegExp(`there is no process ${slip}; did you mean .*'${digits}'|not started by nsh`));
  const far = await cluster.nsh(['logs', '14111111']);
  expect(far.stderr).toBe("nsh logs: n1: there is no process 14111111; 'nsh ps -a' lists those that nsh runs\n");
  await cluster.nsh(['kill', '-KILL', digits]);
});
