/** What the words behind `@` name, and how the output of several nodes is told apart. */
import { Transform, Writable } from 'node:stream';
import type { ClusterClient } from '../../src/cluster/cluster-client.ts';
import type { NodeSpec } from '../../src/cluster/node-spec.ts';
import { foldNames } from '../../src/ids/nodeset/index.ts';
import { foldedOutput } from '../output/node-output.ts';
import { makePrefixes } from '../output/prefixes.ts';
import { LinePrefixer } from '../output/line-prefixer.ts';
import { chooseNodes } from '../run/choose-nodes.ts';
import { nodeRunner } from './node-runner.ts';
import { NshError, toNshError } from '../../src/protocol/errors.ts';
import type { BashRunner, FoldedOutput, NodeRunners } from './runner.ts';

export interface ClusterRunnersOptions {
  /** Connected when the first node is named. */
  readonly cluster: () => Promise<ClusterClient>;
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly signal: AbortSignal;
  /** Colour for the names of nodes may be used on this stream. */
  readonly colour: (stream: 'stdout' | 'stderr') => boolean;
  /** A line of nsh's own. */
  readonly tell: (message: string) => void;
}

export function clusterRunners({ cluster, env, signal, colour, tell }: ClusterRunnersOptions): NodeRunners {
  const known = new Map<number, BashRunner>();
  /** In the order in which they were first named: the colours follow it. */
  const names: string[] = [];
  const runnerFor = (client: ClusterClient, node: NodeSpec): BashRunner => {
    const runner = known.get(node.id) ?? nodeRunner(node, { client, env });
    if (!known.has(node.id)) names.push(node.name);
    known.set(node.id, runner);
    return runner;
  };
  return {
    async resolve(where) {
      const client = await cluster();
      const nodes = await chooseNodes(client, wanted(where), signal).catch((error: unknown) => {
        throw inWordsOfTheShell(error);
      });
      return nodes.map((node) => runnerFor(client, node));
    },
    labelled(target, runner, stream) {
      const all = names.includes(runner.node) ? names : [...names, runner.node];
      // What another stage reads has no colours.
      const isShown = (target as { readonly isTTY?: boolean }).isTTY === true;
      const prefix = makePrefixes(all, { aligned: false, colour: isShown && colour(stream) })[all.indexOf(runner.node)];
      return prefixing(target, prefix ?? '');
    },
    folded: (target, runners) =>
      folding(
        target,
        runners.map(({ node }) => node),
        tell,
      ),
  };
}

/** A label or group is written with one more `@` here than in a nodeset. */
function inWordsOfTheShell(error: unknown): NshError {
  const known = toNshError(error);
  if (known.code !== 'unknownNode' && known.code !== 'nodeset') return known;
  const { data, cause } = known;
  const message = known.message.replaceAll(/(did you mean|or|,) '@/g, "$1 '@@");
  return new NshError(known.code, message, { cause, ...(data === undefined ? {} : { data }) });
}

/** `all`, `any`, or a nodeset. */
function wanted(where: string): { nodeset: string | undefined; everyNode: boolean } {
  if (where === 'all') return { nodeset: undefined, everyNode: true };
  return { nodeset: where === 'any' ? undefined : where, everyNode: false };
}

/** As `nsh run -b` shows it. */
function folding(target: Writable, all: readonly string[], tell: (message: string) => void): FoldedOutput {
  const style = { aligned: false, colour: false };
  const output = foldedOutput(
    { stdout: target, stderr: target, names: all, outStyle: style, errStyle: style, warn: tell },
    foldNames,
  );
  return {
    writer({ node }) {
      const { stdout } = output.sinks(node);
      return new Writable({
        write: (chunk: Buffer, _encoding, done) => stdout.write(chunk, done),
        final: (done) => (stdout.end === undefined ? done() : stdout.end(done)),
      });
    },
    finish: () => output.finish(),
  };
}

/** Whole lines, each with its prefix. The target is not ended: others write to it too. */
function prefixing(target: Writable, prefix: string): Writable {
  const prefixer = new LinePrefixer(prefix);
  const through = new Transform({
    transform(chunk: Buffer, _encoding, done) {
      done(null, prefixer.push(chunk));
    },
    flush(done) {
      done(null, prefixer.end());
    },
  });
  through.pipe(target, { end: false });
  return through;
}
