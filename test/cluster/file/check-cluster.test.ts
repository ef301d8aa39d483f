import { describe, expect, it } from 'vitest';
import { parseClusterFile } from '../../../src/cluster/file/index.ts';
import { NshError } from '../../../src/protocol/errors.ts';

const paths = { path: '/etc/nsh/lab.yaml', env: { HOME: '/home/me' } };

async function faultsOf(text: string): Promise<string[]> {
  try {
    await parseClusterFile(text, paths);
  } catch (error) {
    if (error instanceof NshError && error.code === 'clusterFile')
      return error.message.replaceAll(`${paths.path}:`, '').split('\n');
    throw error;
  }
  throw new Error('the file was not refused');
}

describe('a cluster file', () => {
  it('gives nodes in order of their ids, nodesets expanded', async () => {
    const text = `
cluster: lab
sshConfig: ssh/config
agentCommand: /opt/nsh/bin/nsh-agent --quiet
nodes:
  - {id: 20, name: db1, host: db.example, port: 2222, user: postgres, identityFile: ~/.ssh/db, transport: openssh, labels: [db, rack=3:a]}
  - id: 1
    name: web[01-03]
    labels: [web, 7]
    identityFile: keys/web
  - {ids: '7,9-10', name: 'gpu[1-3]', host: '10.0.0.[9-11]'}
`;
    expect(await parseClusterFile(text, paths)).toEqual({
      cluster: 'lab',
      sshConfig: '/etc/nsh/ssh/config',
      agentCommand: '/opt/nsh/bin/nsh-agent --quiet',
      nodes: [
        ...['web01', 'web02', 'web03'].map((name, index) => {
          return { id: index + 1, name, identityFile: '/etc/nsh/keys/web', labels: ['web', '7'] };
        }),
        ...[7, 9, 10].map((id, index) => ({ id, name: `gpu${index + 1}`, host: `10.0.0.${index + 9}`, labels: [] })),
        {
          id: 20,
          name: 'db1',
          host: 'db.example',
          port: 2222,
          user: 'postgres',
          identityFile: '/home/me/.ssh/db',
          transport: 'openssh',
          labels: ['db', 'rack=3:a'],
        },
      ],
    });
  });

  it('leaves out what ssh_config knows, and takes nsh-agent as the command', async () => {
    expect(await parseClusterFile('cluster: lab\nnodes: [{id: 1, name: web1}]\n', paths)).toEqual({
      cluster: 'lab',
      agentCommand: 'nsh-agent',
      nodes: [{ id: 1, name: 'web1', labels: [] }],
    });
  });

  it('takes the names of a nodeset in its order, with steps, operators and several dimensions', async () => {
    const text =
      "cluster: c\nnodes:\n- {id: 1, name: 'r[1-2]n[1-2]'}\n- {id: 10, name: 'w[1-10]!w[2-10/2]'}\n- {ids: 5, name: x}\n";
    const { nodes } = await parseClusterFile(text, paths);
    expect(nodes.map(({ id, name }) => `${id} ${name}`).join(', ')).toBe(
      '1 r1n1, 2 r1n2, 3 r2n1, 4 r2n2, 5 x, 10 w1, 11 w3, 12 w5, 13 w7, 14 w9',
    );
  });

  it('may use anchors and aliases', async () => {
    const text = 'cluster: c\nnodes:\n- {id: 1, name: a, labels: &l [x, y]}\n- {id: 2, name: b, labels: *l}\n';
    expect((await parseClusterFile(text, paths)).nodes[1]?.labels).toEqual(['x', 'y']);
  });
});

describe('a fault in a cluster file', () => {
  const node = (text: string): string => `cluster: lab\nnodes:\n  - ${text}\n`;

  it.each([
    ['', ['1:1: a cluster file has the keys cluster, sshConfig, agentCommand, store, nodes; it is empty']],
    ['just text', ['1:1: a cluster file has the keys cluster, sshConfig, agentCommand, store, nodes; it is text']],
    ['- a\n- b\n', ['1:1: a cluster file has the keys cluster, sshConfig, agentCommand, store, nodes; it is a list']],
    ['cluster: lab\n', ["1:1: the key 'nodes' is missing: a list such as [{id: 1, name: web1}]"]],
    ['nodes: []\n', ["1:1: the key 'cluster' is missing: the name of the cluster"]],
    ['cluster: lab\nnodez: []\nnodes: []\n', ["2:1: unknown key 'nodez' of a cluster file; did you mean 'nodes'?"]],
    ['cluster: lab\nnodes: web1\n', ['2:8: nodes must be a list of nodes, not text']],
    [
      'cluster: [a]\nnodes: []\n',
      [
        "1:10: cluster must be a name of at most 64 letters, digits, '-', '_' and '.', not beginning with '.', not a list",
      ],
    ],
    [
      'cluster: ../x\nnodes: []\n',
      [
        "1:10: cluster must be a name of at most 64 letters, digits, '-', '_' and '.', not beginning with '.', not '../x'",
      ],
    ],
    [
      'cluster: 7\nnodes: []\n',
      [
        "1:10: cluster must be a name of at most 64 letters, digits, '-', '_' and '.', not beginning with '.', not the number 7; write it in quotes: \"7\"",
      ],
    ],
    ['cluster: local\nnodes: []\n', ["1:10: the name 'local' is taken: it means this machine without a cluster file"]],
    [
      'cluster: history\nnodes: []\n',
      ["1:10: the name 'history' is taken: the shell's history lies where its state would"],
    ],
    [
      'cluster: history.old\nnodes: []\n',
      ["1:10: the name 'history.old' is taken: the shell's history lies where its state would"],
    ],
    [
      'cluster: lab\nsshConfig: ~bob/config\nnodes: []\n',
      ["2:12: sshConfig: only your own home directory can be written as '~/', not '~bob/config'"],
    ],
    ['cluster: lab\nagentCommand: "  "\nnodes: []\n', ["2:15: agentCommand must be one line of words, not '  '"]],
    ['cluster: lab\ncluster: lab\nnodes: []\n', ['2:1: this key is there twice']],
    ['cluster: lab\nnodes:\n\t- {id: 1}\n', ['3:1: a tab indents here; YAML allows spaces only']],
    [
      'cluster: lab\nnodes: []\n---\ncluster: x\n',
      ["3:1: a second document begins after '---'; a cluster file is one document"],
    ],
    ['cluster: "lab\nnodes: []\n', ['3:1: YAML: Missing closing "quote']],
    ['? [a]\n: b\ncluster: lab\nnodes: []\n', ['1:3: a key must be one word']],
    [node('web1'), ['3:5: a node must be a map such as {id: 1, name: web1}, not text']],
    [node('{name: web1}'), ['3:5: this node has no id; ids are 1 to 99999, given once and never reused']],
    [node('{id: 1}'), ['3:5: this node has no name']],
    [node('{id: 0, name: web1}'), ['3:10: id must be a number from 1 to 99999, not 0']],
    [node('{id: 100000, name: web1}'), ['3:10: id must be a number from 1 to 99999, not 100000']],
    [node('{id: 1.5, name: web1}'), ['3:10: id must be a number from 1 to 99999, not 1.5']],
    [node('{id: one, name: web1}'), ["3:10: id must be a number from 1 to 99999, not the text 'one'"]],
    [node('{id: , name: web1}'), ['3:10: id must be a number from 1 to 99999, not nothing']],
    [node('{id: 99998, name: "w[1-3]"}'), ['3:10: 3 ids from 99998 on end at 100000; ids end at 99999']],
    [node('{ids: "1-3", name: "w[1-2]"}'), ["3:11: 3 ids for 2 names: '1-3'"]],
    [node('{ids: 1, name: "w[1-2]"}'), ["3:11: 1 id for 2 names: '1'"]],
    [node('{ids: "0-1", name: "w[1-2]"}'), ['3:11: ids must be numbers from 1 to 99999, not 0']],
    [node('{ids: "3,1", name: "w[1-2]"}'), ["3:11: ids must ascend, as the names do: '3,1'"]],
    [node('{ids: "3-1", name: "w[1-2]"}'), ["3:11: ids: '3-1' runs backwards"]],
    [node('{id: 1, ids: 1, name: w}'), ["3:13: a node has either 'id' (counting up for a nodeset) or 'ids', not both"]],
    [
      node('{id: 1, name: 1web}'),
      ["3:19: the name '1web' begins with a digit; names begin with a letter, so that no id looks like one"],
    ],
    [
      node('{id: 1, name: 7}'),
      ["3:19: the name '7' begins with a digit; names begin with a letter, so that no id looks like one"],
    ],
    [
      node('{id: 1, name: "web 1"}'),
      ["3:19: the name 'web 1' must begin with a letter and go on with letters, digits, '-', '_' and '.'"],
    ],
    [
      node('{id: 1, name: localhost}'),
      ["3:19: 'localhost' is always node 0, this machine; give the node another name and 'host: localhost'"],
    ],
    [node('{id: 1, name: "web[1-"}'), ["3:19: name: nodeset 'web[1-', column 4: this '[' is never closed"]],
    [node('{id: 1, name: "@gpu"}'), ["3:19: name: nodeset '@gpu', column 1: no node has the label 'gpu'"]],
    [node('{id: 1, name: w, port: 0}'), ['3:28: port must be a number from 1 to 65535, not 0']],
    [node('{id: 1, name: w, port: ssh}'), ["3:28: port must be a number from 1 to 65535, not the text 'ssh'"]],
    [node('{id: 1, name: w, transport: telnet}'), ["3:33: transport must be one of ssh2, openssh, not 'telnet'"]],
    [
      node('{id: 1, name: w, user: true}'),
      ['3:28: user must be a user name, not the boolean true; write it in quotes: "true"'],
    ],
    [
      node('{id: 1, name: w, host: -oProxyCommand=x}'),
      ["3:28: host must be a host's name or address, not '-oProxyCommand=x'"],
    ],
    [node('{id: 1, name: "w[1-2]", host: h}'), ["3:35: 1 host for 2 names: 'h'"]],
    [node('{id: 1, name: w, lables: [a]}'), ["3:22: unknown key 'lables' of a node; did you mean 'labels'?"]],
    [node('{id: 1, name: w, labels: a}'), ['3:30: labels must be a list of words such as [gpu, rack=3], not text']],
    [node('{id: 1, name: w, labels: [all]}'), ["3:31: the label 'all' is reserved: @all has a meaning of its own"]],
    [node('{id: 1, name: w, labels: ["a b"]}'), ["3:31: the label 'a b' may hold letters, digits and - _ . : = only"]],
    [node('{id: 1, name: w, labels: [[a]]}'), ['3:31: a label must be a word, not a list']],
    [
      node('{id: 1, name: w, labels: *l}'),
      ["3:30: the alias '*l' stands for nothing: no value before it has that anchor"],
    ],
    [node('&x {id: 1, name: w, labels: *x}'), ['3:9: values nest too deeply or are too many']],
  ])('is told with its place: %j', async (text, faults) => {
    expect(await faultsOf(text)).toEqual(faults);
  });

  it('names both places where an id or a name is given twice', async () => {
    const text =
      "cluster: lab\nnodes:\n  - {id: 1, name: 'web[1-3]'}\n  - {id: 3, name: db1}\n  - {id: 9, name: web2}\n";
    expect(await faultsOf(text)).toEqual([
      "4:10: id 3 is given twice: to 'web3' at 3:10, and here to 'db1'",
      "5:19: the name 'web2' is given twice: at 3:19, and here",
    ]);
  });

  it('does not hide the others', async () => {
    const text =
      'cluster: .x\nnodes:\n  - {id: 0, name: web1}\n  - {id: 2, name: 2web, prot: 1}\n  - {id: 3, name: w, port: 70000, labels: [all]}\n';
    expect((await faultsOf(text)).map((line) => line.replace(/: .*/, ''))).toEqual([
      '1:10',
      '3:10',
      '4:19',
      '4:25',
      '5:28',
      '5:44',
    ]);
  });

  it('never brings control characters into the message', async () => {
    expect((await faultsOf('cluster: "\\e[31m"\nnodes: []\n')).join('')).not.toMatch(/[\u0000-\u001f]/);
  });
});
