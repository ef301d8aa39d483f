/**
 * Node ids stay: what id this machine, and each node name, was given first is written down, and an agent refuses to serve under
 * another. The note under the boot identity tells clients of this machine which node they are on.
 */
import { mkdirSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import type { AgentIdentity } from '../../src/cluster/start-agent.ts';
import type { NodePaths } from '../../src/cluster/paths.ts';
import { bootIdentity } from '../../src/cluster/this-machine.ts';
import { NshError } from '../../src/protocol/errors.ts';

/** @throws NshError `wrongNode` where name and id were given otherwise before. */
export function claimIdentity(paths: NodePaths, identity: AgentIdentity): void {
  const { node, name } = identity;
  const nameFile = join(paths.cluster, 'names', name);
  const before = readText(nameFile);
  if (before !== undefined && before !== String(node)) {
    throw new NshError(
      'wrongNode',
      `${name} was ${before}, the file now says ${node}: ids stay with their machines. ` +
        `Put ${before} back, or, where this is a new machine, remove ${nameFile} on it`,
    );
  }
  const earlier = readText(paths.nodeFile);
  const earlierName = earlier === undefined ? undefined : (JSON.parse(earlier) as { name?: string }).name;
  if (earlierName !== undefined && earlierName !== name)
    rmSync(join(paths.cluster, 'names', earlierName), { force: true });
  if (before === undefined) writeText(nameFile, String(node));
  if (earlierName !== name) writeText(paths.nodeFile, `${JSON.stringify({ id: node, name })}\n`);
}

/** Tells clients on this machine which node it is. Notes of earlier boots of the same node go. */
export function registerThisMachine(paths: NodePaths, identity: AgentIdentity): void {
  if (identity.node === 0) return;
  const directory = join(paths.cluster, 'boots');
  mkdirSync(directory, { recursive: true, mode: 0o700 });
  const boot = bootIdentity();
  for (const name of readdirSync(directory)) {
    if (name !== boot && readText(join(directory, name)) === String(identity.node))
      rmSync(join(directory, name), { force: true });
  }
  writeText(join(directory, boot), String(identity.node));
}

function readText(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8').trim();
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw error;
  }
}

function writeText(path: string, text: string): void {
  mkdirSync(dirname(path), { recursive: true, mode: 0o700 });
  const draft = `${path}.${process.pid}~`;
  writeFileSync(draft, text, { mode: 0o600 });
  renameSync(draft, path);
}
