/** What every benchmark stands on: hosts behind real sshd, a cluster client over a warm agent, and warm ControlMasters for ssh. */
import { spawn } from 'node:child_process';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { ClusterClient } from '../../src/cluster/cluster-client.ts';
import { connectCluster } from '../../src/cluster/connect.ts';
import { loadCluster } from '../../src/cluster/file/index.ts';
import { startHosts, type Hosts } from '../hosts/start-hosts.ts';

export interface Setting {
  readonly hosts: Hosts;
  readonly client: ClusterClient;
  /** ssh config with ControlPath; masters to every host are up. */
  readonly masterConfig: string;
  /** Environment in which `nsh` finds this cluster and this setting's agent. */
  readonly env: NodeJS.ProcessEnv;
  readonly nsh: string;
  stop(): Promise<void>;
}

export async function startSetting(count: number): Promise<Setting> {
  const hosts = await startHosts({ count });
  // Short: ControlPath and the agent's socket must fit into sun_path.
  const directory = await mkdtemp(join(tmpdir(), 'nb-'));
  const clusterFile = await hosts.clusterFile({ cluster: 'bench' });
  const { NSH_CLUSTER: _, SSH_AUTH_SOCK: __, ...rest } = process.env;
  const env = { ...rest, NSH_CLUSTER: clusterFile, XDG_STATE_HOME: directory, XDG_CACHE_HOME: directory };
  const masterConfig = join(directory, 'masters');
  const plain = await readFile(hosts.sshConfig, 'utf8');
  await writeFile(
    masterConfig,
    `Host *\n  ControlMaster auto\n  ControlPath ${directory}/%C\n  ControlPersist 600\n${plain}`,
  );
  for (const host of hosts.hosts) await run('ssh', ['-F', masterConfig, host.name, 'true'], env);
  const client = connectCluster(await loadCluster({ env, flag: clusterFile }), { env });
  for await (const { node, error } of client.fanout(client.nodes, 'info', {})) {
    if (error !== undefined) throw new Error(`${node.name}: ${error.message}`);
  }
  return {
    hosts,
    client,
    masterConfig,
    env,
    nsh: join(import.meta.dirname, '../../dist/nsh.js'),
    stop: async () => {
      for (const host of hosts.hosts)
        await run('ssh', ['-F', masterConfig, '-O', 'exit', host.name], env).catch(() => undefined);
      await client.call(client.self, 'stop', { kill: true });
      client.close();
      await hosts.stop();
      await rm(directory, { recursive: true, force: true });
    },
  };
}

/** Runs a command to its end and answers its stdout. @throws Error where it fails. */
export function run(command: string, args: readonly string[], env: NodeJS.ProcessEnv, input = ''): Promise<string> {
  return new Promise((resolve, reject) => {
    const child = spawn(command, args, { env, stdio: ['pipe', 'pipe', 'pipe'] });
    const chunks: Buffer[] = [];
    let said = '';
    child.stdout.on('data', (chunk: Buffer) => chunks.push(chunk));
    child.stderr.on('data', (chunk: Buffer) => (said += chunk.toString()));
    child.on('error', reject);
    child.on('close', (code) => {
      if (code === 0) resolve(Buffer.concat(chunks).toString());
      else reject(new Error(`${command} ${args.join(' ')}: status ${code}: ${said}`));
    });
    // A command may end without reading its input.
    child.stdin.on('error', () => undefined);
    child.stdin.end(input);
  });
}
