/** The line below the prompt: the cluster, its nodes, the jobs, and for a newcomer what can be typed. Pure. */
import { cutToWidth, displayWidth, escapeText } from '../escape.ts';

export interface StatusFacts {
  readonly cluster: string;
  readonly nodesUp: number;
  readonly nodesAll: number;
  /** Names of those that do not answer. */
  readonly down: readonly string[];
  /** Nodes that have not been heard of yet. */
  readonly connecting: number;
  readonly jobs: number;
  /** The person has run few lines so far. */
  readonly isNew: boolean;
}

/** As many of them as there is room for. */
const hints = ['help', '@NODE runs there', 'Tab completes', 'Ctrl-R searches'];

export function statusLine(facts: StatusFacts, columns: number, colour: boolean): string {
  const { cluster, nodesUp, nodesAll, down, connecting, jobs, isNew } = facts;
  const parts = [escapeText(cluster)];
  if (connecting > 0) parts.push(`${nodesUp} of ${nodesAll} nodes up, connecting to ${connecting}`);
  else
    parts.push(
      nodesUp === nodesAll
        ? `${nodesAll} ${nodesAll === 1 ? 'node' : 'nodes'} up`
        : `${nodesUp} of ${nodesAll} nodes up`,
    );
  if (down.length > 0) parts.push(`${escapeText(down.slice(0, 4).join(', '))}${down.length > 4 ? ' …' : ''} down`);
  if (jobs > 0) parts.push(`${jobs} ${jobs === 1 ? 'job' : 'jobs'}`);
  const left = parts.join(' · ');
  let text = left;
  for (const hint of isNew ? hints : []) {
    const more = `${text} · ${hint}`;
    if (displayWidth(more) < columns) text = more;
  }
  text = cutToWidth(text, columns - 1);
  return colour ? `\u001b[2m${text}\u001b[22m` : text;
}
