/** A session and nodes that answer from tables. */
import type { CompletionSources, KnownNode, ListedName, NamesQuestion } from '../../shell/completion/index.ts';
import { complete, type Completion, type CompletionItem } from '../../shell/completion/index.ts';
import { builtinSummaries, loadCommand } from '../../shell/commands/index.ts';

export const someNodes: readonly KnownNode[] = [
  ...[1, 2, 3, 10].map((number) => ({ id: number, name: `web${number}`, labels: number < 3 ? ['gpu'] : [] })),
  { id: 20, name: 'db1', labels: ['sql'] },
];

export interface FakeSources extends CompletionSources {
  readonly asked: NamesQuestion[];
}

/** @param files paths and commands, as the node would list them. */
export function fakeSources(files: readonly ListedName[] = [], changes: Partial<CompletionSources> = {}): FakeSources {
  const asked: NamesQuestion[] = [];
  return {
    asked,
    nodes: () => someNodes,
    builtins: () => builtinSummaries.map(([value, description]) => ({ value, description })),
    shape: (name) => loadCommand(name),
    sessionCommands: () => [{ value: 'my_function', description: 'function' }],
    variables: () => [
      { name: 'HOME', value: '/home/me' },
      { name: 'HOSTNAME', value: 'here' },
      { name: 'dir', value: 'some dir' },
      { name: 'list' },
    ],
    jobs: () => [
      { value: '%1', description: 'make -j8' },
      { value: '%2', description: 'tail -f log' },
    ],
    async *processes(select) {
      yield [
        { gpid: 10_004_711, pid: 4711, node: 'web1', command: 'python3 -i' },
        { gpid: 200_000_815, pid: 815, node: 'db1', command: 'postgres -D /srv' },
        ...(select === 'all' ? [{ gpid: 10_000_001, pid: 1, node: 'web1', command: '/sbin/init' }] : []),
      ];
    },
    async *groups() {
      const replicas = [1, 2].map((slot) => ({ slot, phase: 'ready', node: `web${slot}` }));
      const web = {
        name: 'cache',
        state: 'running',
        ready: 2,
        wanted: 2,
        nodes: 'web[1-2]',
        command: 'serve',
        replicas,
      };
      yield [web, { ...web, name: 'queue', nodes: 'db1', replicas: [] }];
    },
    async *names(question) {
      asked.push(question);
      yield files.filter(({ name, type }) => (type === 'command') === (question.kind === 'command') && name !== '');
    },
    ...changes,
  };
}

/** The last result for a line whose cursor is at `|`, or at its end. */
export async function completed(line: string, sources: CompletionSources = fakeSources()): Promise<Completion> {
  const mark = line.indexOf('‸');
  const text = line.replace('‸', '');
  let last: Completion | undefined;
  for await (const found of complete(text, mark === -1 ? text.length : mark, sources, new AbortController().signal))
    last = found;
  if (last === undefined) throw new Error('nothing came');
  return last;
}

/** What the lines would be, the cursor's end included. */
export async function lines(line: string, sources: CompletionSources = fakeSources()): Promise<string[]> {
  const text = line.replace('‸', '');
  const found = await completed(line, sources);
  return found.items.map((item) => apply(text, found, item));
}

export function apply(text: string, { start, end }: Completion, { insert, append }: CompletionItem): string {
  return text.slice(0, start) + insert + append + text.slice(end);
}
