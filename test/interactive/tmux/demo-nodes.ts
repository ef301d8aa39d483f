/**
 * The demo cluster with a home directory of its own: nodes n1, n2, … in a second, without sshd. What an NshCluster (real sshd) and a
 * OneMachine have for an interactive session, this has too: `env`, `directory`, `stop`.
 */
import { spawnSync } from 'node:child_process';
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { startDemoCluster, type DemoCluster } from '../../../shell/demo/demo-cluster.ts';

export interface DemoNodes {
  readonly demo: DemoCluster;
  /** Home of this machine's side and of every node. */
  readonly directory: string;
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Ends what a test that failed has left, which the next would find. */
  endAll(): Promise<void>;
  stop(): Promise<void>;
}

/** Empty where it has ended, or is not ours. */
async function readOf(pid: string, file: string): Promise<string> {
  return await readFile(`/proc/${pid}/${file}`, 'utf8').catch(() => '');
}

export async function startDemoNodes(nodes = 3): Promise<DemoNodes> {
  const directory = await mkdtemp(join(tmpdir(), 'nsh-play-'));
  const { PATH, LD_LIBRARY_PATH } = process.env;
  const env = { PATH, LD_LIBRARY_PATH, HOME: directory, SHELL: '/bin/bash', LANG: 'C.UTF-8' };
  const demo = await startDemoCluster({ nodes, env });
  return {
    demo,
    directory,
    env: demo.env,
    endAll: async () => {
      for (const pid of (await readdir('/proc')).filter((name) => /^\d+$/.test(name))) {
        const [environ, cmdline] = await Promise.all(['environ', 'cmdline'].map((file) => readOf(pid, file)));
        if (!environ?.includes(`HOME=${directory}`) || /nsh-(?:agent|shim)/.test(cmdline ?? '')) continue;
        // It may have ended meanwhile.
        spawnSync('kill', ['-KILL', pid]);
      }
    },
    stop: async () => {
      const left = await demo.stop();
      await rm(directory, { recursive: true, force: true, maxRetries: 20, retryDelay: 50 });
      if (left.length > 0) throw new Error(`processes of the demo cluster do not end: ${left.join(' ')}`);
    },
  };
}
