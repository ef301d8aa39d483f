/** What is told of nodes that go and come back, on a clock of the test's own. */
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { ClusterWatch } from '../../shell/interactive/cluster-watch.ts';
import type { ClusterClient } from '../../src/cluster/cluster-client.ts';
import type { NodeSpec } from '../../src/cluster/node-spec.ts';
import { nodeId } from '../../src/ids/gpid.ts';
import { NshError, type ErrorCode } from '../../src/protocol/errors.ts';

const nodes: readonly NodeSpec[] = ['n1', 'n2'].map((name, index) => ({ id: nodeId(index + 1), name, labels: [] }));

/** Nodes by name that fail, and how. */
const failing = new Map<string, ErrorCode>();
const asked: string[][] = [];
const links = new Map<string, 'up' | 'failed'>();

const client = {
  nodes,
  spec: { cluster: 'test' },
  node: (id: number) => nodes.find((node) => node.id === id),
  status: () => Promise.resolve(nodes.map(({ id, name }) => ({ id, state: links.get(name) ?? 'up', reason: 'gone' }))),
  async *fanout(wanted: readonly NodeSpec[]) {
    asked.push(wanted.map(({ name }) => name));
    for (const node of wanted) {
      const code = failing.get(node.name);
      yield code === undefined ? { node, result: {} } : { node, error: new NshError(code, 'no answer') };
    }
  },
} as unknown as ClusterClient;

let watch: ClusterWatch;
let news: string[];
beforeEach(() => {
  vi.useFakeTimers();
  failing.clear();
  links.clear();
  asked.length = 0;
  news = [];
  watch = new ClusterWatch(() => Promise.resolve(client), {
    onChange: () => undefined,
    onNews: (text) => void news.push(text),
  });
});
afterEach(() => {
  watch.close();
  vi.useRealTimers();
});

describe('the watch', () => {
  it('knows which nodes are up after its first round, and says nothing of it', async () => {
    watch.start();
    expect(watch.seen).toMatchObject({ all: 0, up: 0 });
    await vi.advanceTimersByTimeAsync(10);
    expect(watch.seen).toEqual({ all: 2, up: 2, down: [], unknown: 0 });
    expect(news).toEqual([]);
  });

  it('says once that a link has failed, and that the node is back within six seconds of it', async () => {
    watch.start();
    await vi.advanceTimersByTimeAsync(10);
    links.set('n2', 'failed');
    failing.set('n2', 'unreachable');
    await vi.advanceTimersByTimeAsync(2_000);
    expect(news).toEqual(['n2: gone']);
    expect(watch.seen.down).toEqual(['n2']);
    await vi.advanceTimersByTimeAsync(30_000);
    expect(news).toHaveLength(1);
    failing.clear();
    links.clear();
    await vi.advanceTimersByTimeAsync(6_000);
    expect(news).toEqual(['n2: gone', 'n2: it answers again']);
    expect(asked.some((names) => names.join() === 'n2')).toBe(true);
  });

  it('does not ask a node again whose login a person declined, until somebody uses it', async () => {
    failing.set('n1', 'authFailed');
    links.set('n1', 'failed');
    watch.start();
    await vi.advanceTimersByTimeAsync(10);
    const before = asked.length;
    await vi.advanceTimersByTimeAsync(40_000);
    expect(asked.slice(before).flat()).not.toContain('n1');
    links.clear();
    failing.clear();
    await vi.advanceTimersByTimeAsync(2_000);
    expect(watch.seen.down).toEqual([]);
  });
});
