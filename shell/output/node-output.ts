/** Where the output of one node among many goes: prefixed as it comes, or gathered to be folded. */
import type { Writable } from 'node:stream';
import { mappedSink, writableSink, type OutputSink } from '../../src/cluster/process-stream/sink.ts';
import { FoldCollector, renderGroup } from './fold-collector.ts';
import { LinePrefixer } from './line-prefixer.ts';
import { makePrefixes, type PrefixStyle } from './prefixes.ts';

export interface ManyOutput {
  /** The sinks of the node with this name. */
  sinks(name: string): { readonly stdout: OutputSink; readonly stderr: OutputSink };
  /** Shows what was gathered. Resolves when it is written. */
  finish(): Promise<void>;
}

export interface ManyOutputOptions {
  readonly stdout: Writable;
  readonly stderr: Writable;
  readonly names: readonly string[];
  readonly outStyle: PrefixStyle;
  readonly errStyle: PrefixStyle;
  /** A line for the person, without its end. */
  readonly warn: (text: string) => void;
}

/** Each line with the name of its node, stdout and stderr apart. */
export function prefixedOutput(options: ManyOutputOptions): ManyOutput {
  const out = new Map(zip(options.names, makePrefixes(options.names, options.outStyle)));
  const err = new Map(zip(options.names, makePrefixes(options.names, options.errStyle)));
  return {
    sinks: (name) => ({
      stdout: prefixedSink(options.stdout, out.get(name) ?? `${name}: `),
      stderr: prefixedSink(options.stderr, err.get(name) ?? `${name}: `),
    }),
    finish: () => Promise.resolve(),
  };
}

/** stdout gathered and folded at the end; stderr as it comes, as by clush. */
export function foldedOutput(
  options: ManyOutputOptions,
  fold: (names: readonly string[]) => string,
  collector: FoldCollector = new FoldCollector(options.names),
): ManyOutput {
  const prefixed = prefixedOutput(options);
  return {
    sinks(name) {
      const { stdout, stderr } = prefixed.sinks(name);
      let tooMuch = false;
      const gather: OutputSink = {
        write(bytes, taken) {
          const given = tooMuch ? bytes : collector.add(name, bytes);
          if (given === undefined) return taken();
          if (!tooMuch) options.warn(`${name}: too much output to fold; it is shown line by line`);
          tooMuch = true;
          stdout.write(given, taken);
        },
        end: (done) => (tooMuch && stdout.end !== undefined ? stdout.end(done) : done()),
      };
      return { stdout: gather, stderr };
    },
    async finish() {
      for (const group of collector.groups()) {
        const text = renderGroup(group, fold);
        await new Promise<void>((resolve) => {
          options.stdout.write(text, () => resolve());
        });
      }
    },
  };
}

function prefixedSink(writable: Writable, prefix: string): OutputSink {
  const prefixer = new LinePrefixer(prefix);
  return mappedSink(
    writableSink(writable),
    (bytes) => prefixer.push(bytes),
    () => prefixer.end(),
  );
}

function zip(names: readonly string[], prefixes: readonly string[]): [string, string][] {
  return names.map((name, index) => [name, prefixes[index] ?? `${name}: `]);
}
