/** The pure parts of the demo: arguments, files, whose process is whose. */
import { execFileSync } from 'node:child_process';
import { describe, expect, it } from 'vitest';
import { parseDemoArguments } from '../../shell/commands/demo.ts';
import { loginEnvironment } from '../../shell/demo/demo-cluster.ts';
import { isolate } from '../../shell/demo/isolation.ts';
import { belongsToDemo } from '../../shell/demo/leftovers.ts';
import { tourSteps } from '../../shell/demo/tour.ts';
import { clusterFile, clusterName, shellWords } from '../../shell/demo/workspace.ts';

describe('the arguments of nsh demo', () => {
  it.each([
    [[], { nodes: 3, command: [] }],
    [['-n', '5'], { nodes: 5, command: [] }],
    [['-n2', '--', 'nsh', 'ps', '-a'], { nodes: 2, command: ['nsh', 'ps', '-a'] }],
    [['--nodes=4', 'make', '-n', '9'], { nodes: 4, command: ['make', '-n', '9'] }],
    [['--tour', '-n', '2'], { nodes: 2, command: [], tour: true }],
    [['--nodes', '1', '--', '-odd', '--'], { nodes: 1, command: ['-odd', '--'] }],
  ])('%j are understood', (args, expected) => {
    expect(parseDemoArguments(args)).toEqual({ tour: false, ...expected });
  });

  it.each([
    [['-n']],
    [['-n', '0']],
    [['-n', '65']],
    [['-n', 'x']],
    [['-nx']],
    [['--nodes']],
    [['-x']],
    [['--tour', 'ls']],
  ])('%j are refused', (args) => {
    expect(() => parseDemoArguments(args)).toThrow(expect.objectContaining({ code: 'usage' }));
  });
});

describe('words for a shell', () => {
  it.each([[['plain', '/a/b.js', '--x=1']], [["it's", '$HOME', 'a b', '', '"', '\\', '*', 'a\nb', ';', '~']]])(
    '%j come back',
    (words) => {
      const printed = execFileSync('sh', ['-c', `for word in ${shellWords(words)}; do printf '%s\\0' "$word"; done`]);
      expect(printed.toString().split('\0').slice(0, -1)).toEqual(words);
    },
  );
});

describe('the files of a demo', () => {
  it('name a cluster of its own, with every node', () => {
    const node = (id: number) => ({ id, name: `n${id}`, port: 40_000 + id, hostKey: 'ssh-ed25519 AAAA' });
    const content = {
      user: 'me',
      nodes: [node(1), node(2)],
      privateKey: '',
      agent: ['/opt/my node', '/x/agent.js'],
      nsh: [],
    };
    expect(clusterFile('/tmp/nsh-demo-Ab12Cd', content)).toBe(`cluster: demo-Ab12Cd
sshConfig: "/tmp/nsh-demo-Ab12Cd/ssh_config"
agentCommand: "'/opt/my node' /x/agent.js"
nodes:
  - { id: 1, name: n1, labels: [demo] }
  - { id: 2, name: n2, labels: [demo] }
`);
  });
});

describe('the environment of a login on a demo node', () => {
  it('has nothing of the terminal, session and agents of whoever runs the demo', () => {
    const env = {
      PATH: '/bin',
      LANG: 'C.UTF-8',
      LC_TIME: 'C',
      TERM: 'xterm',
      SSH_AUTH_SOCK: '/x',
      NSH_CLUSTER: '/y',
      NODE_OPTIONS: '-z',
    };
    expect(loginEnvironment(env, { user: 'me', home: '/home/me', directory: '/tmp/d', name: 'n1' })).toEqual({
      PATH: '/tmp/d/bin:/bin',
      LANG: 'C.UTF-8',
      LC_TIME: 'C',
      HOME: '/home/me',
      USER: 'me',
      LOGNAME: 'me',
      XDG_STATE_HOME: '/tmp/d/n1',
      NSH_CLUSTER: '/tmp/d/cluster.yaml',
    });
  });
});

describe('isolation', () => {
  it('keeps the words of the program as they are', () => {
    const argv = ['node', 'a b', "it's"];
    expect(isolate('none', 'n1', argv)).toEqual(argv);
    for (const isolation of ['namespaces', 'user-namespaces'] as const) {
      expect(isolate(isolation, 'n1', argv).slice(-4)).toEqual(['n1', ...argv]);
    }
  });
});

describe('a process', () => {
  const directory = '/tmp/nsh-demo-Ab12Cd';
  it.each([
    ['of a node', true, ['sleep', '9'], [`XDG_STATE_HOME=${directory}/n1`]],
    [
      'that nsh ran on this machine',
      true,
      ['sleep', '9'],
      [`NSH_SOCKET=/home/me/.local/state/nsh/${clusterName(directory)}/0/agent.sock`],
    ],
    [
      'that is the agent of this machine',
      true,
      ['nsh-agent', '/x/nsh-agent.js', 'serve', '--cluster', clusterName(directory)],
      [],
    ],
    [
      'that is its shim',
      true,
      ['nsh-shim', '/x/nsh-shim.js', '--dir', `/home/me/.local/state/nsh/${clusterName(directory)}/0`],
      [],
    ],
    ['that COMMAND left running', false, ['tmux'], [`NSH_CLUSTER=${directory}/cluster.yaml`]],
    [
      'of another demo',
      false,
      ['nsh-agent', '/x/nsh-agent.js', 'serve', '--cluster', 'demo-Zz99Zz'],
      ['XDG_STATE_HOME=/tmp/nsh-demo-Zz99Zz/n1'],
    ],
    ['that only names the directory', false, ['ls', directory], []],
  ])('%s: belongs to the demo %s', (_what, expected, cmdline, environ) => {
    expect(belongsToDemo({ cmdline, environ }, directory)).toBe(expected);
  });
});

describe('the tour', () => {
  it('works with one node as with many, and names the processes that it started', () => {
    for (const names of [['n1'], ['n1', 'n2'], ['n1', 'n2', 'n3', 'n4']]) {
      const printed = new Map([
        ['sleeper', '30000012\n'],
        ['counter', '20000013\n'],
      ]);
      const lines = tourSteps(names).map((step) => step.words(printed).join(' '));
      expect(lines).toContain('kill -TERM 30000012');
      expect(lines).toContain('attach 20000013');
      expect(lines.join('\n')).not.toContain('undefined');
    }
  });
});
