/** The commands in groups, as `nsh --help` and the builtin `help` list them. A new command goes into `groups`; else it is among the last. */
import { wrap } from './help.ts';

export type Summary = readonly [name: string, summary: string];

const groups: readonly (readonly [heading: string, names: readonly string[]])[] = [
  ['The cluster', ['nodes', 'on', 'nodeset', 'agent', 'store', 'cluster']],
  ['Processes', ['ps', 'top', 'pgrep', 'pkill', 'kill']],
  ['Running', ['run', 'attach', 'logs', 'wait', 'jobs', 'fg', 'bg', 'disown']],
  ['Staying up', ['group', 'scale', 'node']],
  ['Taking turns', ['lock', 'sem', 'elect', 'barrier', 'locks', 'counter', 'kv', 'name']],
];
const others = 'nsh itself';

export function renderCommandList(summaries: readonly Summary[], columns = 80): string {
  const width = Math.max(...summaries.map(([name]) => name.length));
  const room = Math.max(columns - width - 4, 20);
  const known = new Map(summaries);
  const named = new Set(groups.flatMap(([, names]) => names));
  const rest = summaries.map(([name]) => name).filter((name) => !named.has(name));
  const blocks = [...groups, [others, rest] as const].flatMap(([heading, names]) => {
    const there = names.filter((name) => known.has(name));
    if (there.length === 0) return [];
    const lines = there.flatMap((name) => {
      const [first = '', ...more] = wrap(known.get(name) ?? '', room);
      return [`  ${name.padEnd(width)}  ${first}`, ...more.map((text) => `${' '.repeat(width + 4)}${text}`)];
    });
    return [[`${heading}:`, ...lines, ''].join('\n')];
  });
  return blocks.join('\n');
}
