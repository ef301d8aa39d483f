/** An agent that finds no bash on one node, and all else that this machine has. */
import { mkdirSync, readdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { agentCommand } from '../hosts/cluster-file.ts';

export interface AgentWithoutBash {
  /** For the cluster file. */
  readonly agentCommand: string;
  remove(): Promise<void>;
}

export async function withoutBash(node: string): Promise<AgentWithoutBash> {
  const directory = await mkdtemp(join(tmpdir(), 'nsh-bin-'));
  mkdirSync(join(directory, 'bin'));
  const taken = new Set<string>();
  for (const bin of ['/usr/bin', '/bin']) {
    for (const name of readdirSync(bin).filter((each) => !each.includes('bash') && !taken.has(each))) {
      symlinkSync(join(bin, name), join(directory, 'bin', name));
      taken.add(name);
    }
  }
  const agent = join(directory, 'agent');
  const text = `#!/bin/sh\n[ "$(uname -n)" != ${node} ] || PATH=${directory}/bin\nexec ${agentCommand} "$@"\n`;
  writeFileSync(agent, text, { mode: 0o755 });
  return { agentCommand: agent, remove: () => rm(directory, { recursive: true, force: true }) };
}
