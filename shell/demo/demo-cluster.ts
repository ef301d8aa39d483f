/**
 * A cluster on this machine for as long as it is wanted: nodes n1, n2, … behind SSH servers on loopback, and a cluster file
 * for them. What it takes to end it, whatever happens, is in janitor.ts.
 */
import { userInfo } from 'node:os';
import { join } from 'node:path';
import process from 'node:process';
import { homeDirectory } from '../../src/cluster/file/file-paths.ts';
import { programPath } from '../../src/cluster/programs.ts';
import { probeIsolation, type Isolation } from './isolation.ts';
import { cleanUp, hireJanitor } from './janitor.ts';
import { makeKeys } from './keys.ts';
import { spawnNode, type NodeProcess } from './node-process.ts';
import { asJanitor, asNode } from './self-call.ts';
import { clusterName, fillWorkspace, makeWorkspace, type DemoNode } from './workspace.ts';

export interface DemoOptions {
  readonly nodes: number;
  readonly env: Readonly<Record<string, string | undefined>>;
  /** argv of nsh; default: this installation's. */
  readonly nsh?: readonly string[];
  readonly agent?: readonly string[];
  /** Default: the strongest that the kernel permits. */
  readonly isolation?: Isolation;
  /** Told of each node that is up. */
  readonly onNode?: () => void;
}

export interface DemoCluster {
  readonly name: string;
  readonly directory: string;
  readonly clusterFile: string;
  readonly sshConfig: string;
  readonly isolation: Isolation;
  readonly nodes: readonly DemoNode[];
  /** For a program that shall work with this cluster. */
  readonly env: Readonly<Record<string, string>>;
  /** The program that the demo runs now, so that it ends even where the demo is killed; undefined: none any more. */
  watch(pid: number | undefined): void;
  /** Ends and removes everything. @returns PIDs that would not end. */
  stop(): Promise<readonly number[]>;
}

const startDeadlineMs = 20_000;

/** @throws NshError `agentFailed` where a node does not come up; nothing is left behind then. */
export async function startDemoCluster(options: DemoOptions): Promise<DemoCluster> {
  const nsh = options.nsh ?? [process.execPath, programPath('nsh')];
  const agent = options.agent ?? [process.execPath, programPath('nsh-agent')];
  const { env } = options;
  const [directory, isolation] = await Promise.all([makeWorkspace(), options.isolation ?? probeIsolation()]);
  const janitor = hireJanitor([...nsh, 'demo', asJanitor, directory], env);
  const names = Array.from({ length: options.nodes }, (_, index) => `n${index + 1}`);
  const processes: NodeProcess[] = [];
  const stop = async (): Promise<readonly number[]> => {
    await Promise.all(processes.map((node) => node.stop()));
    const left = await cleanUp(directory, env);
    await janitor.dismiss();
    return left;
  };
  try {
    const program = [...nsh, 'demo', asNode];
    for (const name of names) {
      const node = { name, directory: join(directory, name), isolation, program, deadlineMs: startDeadlineMs };
      processes.push(await spawnNode(node));
    }
    const user = userInfo().username;
    const home = homeDirectory(env);
    const keys = makeKeys();
    const nodes = await Promise.all(
      processes.map(async (node, index): Promise<DemoNode> => {
        const name = names[index] ?? '';
        const order = {
          user,
          home,
          authorizedKey: keys.public,
          env: loginEnvironment(env, { user, home, directory, name }),
        };
        const report = await node.start(order);
        options.onNode?.();
        return { id: index + 1, name, ...report };
      }),
    );
    // Without namespaces the nodes are all this machine, and none of them may pass for it.
    const words = isolation === 'none' ? [...agent, '--not-this-machine'] : agent;
    await fillWorkspace(directory, { user, nodes, privateKey: keys.private, agent: words, nsh });
    const clusterFile = join(directory, 'cluster.yaml');
    const sshConfig = join(directory, 'ssh_config');
    const path = `${join(directory, 'bin')}:${env['PATH'] ?? '/usr/local/bin:/usr/bin:/bin'}`;
    const commandEnv = {
      ...defined(env),
      NSH_CLUSTER: clusterFile,
      NSH_HISTORY: join(directory, 'history'),
      PATH: path,
    };
    return {
      name: clusterName(directory),
      directory,
      clusterFile,
      sshConfig,
      isolation,
      nodes,
      env: commandEnv,
      watch: (pid) => janitor.watch(pid),
      stop,
    };
  } catch (error) {
    await stop();
    throw error;
  }
}

const carried = /^(PATH|SHELL|LANG|LANGUAGE|LC_\w+|TZ|TMPDIR)$/;

/**
 * What sshd would give a login, state of the node's own, and the cluster file, with which nodes reach each other; nothing of the terminal or
 * session that the demo runs in.
 */
export function loginEnvironment(
  env: DemoOptions['env'],
  given: { readonly user: string; readonly home: string; readonly directory: string; readonly name: string },
): Record<string, string> {
  const { user, home, directory, name } = given;
  const kept = Object.entries(defined(env)).filter(([variable]) => carried.test(variable));
  return {
    ...Object.fromEntries(kept),
    PATH: `${join(directory, 'bin')}:${env['PATH'] ?? '/usr/local/bin:/usr/bin:/bin'}`,
    HOME: home,
    USER: user,
    LOGNAME: user,
    XDG_STATE_HOME: join(directory, name),
    NSH_CLUSTER: join(directory, 'cluster.yaml'),
  };
}

function defined(env: DemoOptions['env']): Record<string, string> {
  return Object.fromEntries(Object.entries(env).filter((entry): entry is [string, string] => entry[1] !== undefined));
}
