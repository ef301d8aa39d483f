/** The person at the terminal of this command: can be asked, and is told what nsh waits for. */
import type { Caller } from '../../src/cluster/own-agent.ts';
import type { ClusterSpec } from '../../src/cluster/node-spec.ts';
import { Progress } from './progress.ts';
import { createPrompter } from './prompter.ts';

const stages = { connect: 'connecting to', login: 'logging in to', agent: 'starting the agent on' } as const;

export function personOnTerminal(spec: Pick<ClusterSpec, 'nodes'>): Pick<Caller, 'prompt' | 'onProgress'> {
  const progress = new Progress({ stderr: process.stderr, stdout: process.stdout });
  // The line must not outlive the command.
  process.once('exit', () => progress.clear());
  const names = new Map<number, string>(spec.nodes.map((node) => [node.id, node.name]));
  const prompt = createPrompter('/dev/tty', () => progress.clear());
  const waiting = new Map<number, string>();
  return {
    onProgress: ({ node, stage }) => {
      if (stage === 'done') waiting.delete(node);
      else waiting.set(node, `${stages[stage]} ${names.get(node) ?? `node ${node}`}…`);
      const text = [...waiting.values()].at(-1);
      if (text === undefined) progress.clear();
      else progress.say(text);
    },
    ...(prompt === undefined ? {} : { prompt }),
  };
}
