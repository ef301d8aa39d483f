/**
 * YAML text as a tree. The parser is loaded with this file, which is therefore imported only where no cached form of the cluster
 * file is at hand. (`import('yaml')` itself would not do: bundled, a CommonJS package has a default export only.)
 */
import { isAlias, isMap, isNode, isScalar, isSeq, LineCounter, parseDocument, type Document } from 'yaml';
import { quoteText } from '../../ids/quote-text.ts';
import type { Position, Problems } from './problems.ts';
import type { Tree, TreeEntry, TreeScalar } from './tree.ts';

/** Syntax errors go to `problems`; undefined where nothing can be read for them. */
export function parseYaml(text: string, problems: Problems): Tree | undefined {
  const lines = new LineCounter();
  const document = parseDocument(text, { lineCounter: lines, prettyErrors: true });
  for (const error of document.errors) {
    const place = error.linePos?.[0];
    problems.add({ line: place?.line ?? 1, column: place?.col ?? 1 }, explain(error.code, error.message));
  }
  if (document.errors.length > 0) return undefined;
  return new TreeReader(document, lines, problems).read(document.contents, 0, { line: 1, column: 1 });
}

function explain(code: string, message: string): string {
  if (code === 'DUPLICATE_KEY') return 'this key is there twice';
  if (code === 'TAB_AS_INDENT') return 'a tab indents here; YAML allows spaces only';
  if (code === 'MULTIPLE_DOCS') return "a second document begins after '---'; a cluster file is one document";
  return `YAML: ${message.replace(/ at line \d+, column \d+:[\s\S]*$/, '')}`;
}

/** Deeper or more than any cluster file: an alias that holds itself, or aliases of aliases of aliases. */
const maxDepth = 16;
const maxValues = 2_000_000;

class TreeReader {
  readonly #document: Document;
  readonly #lines: LineCounter;
  readonly #problems: Problems;
  #values = 0;

  constructor(document: Document, lines: LineCounter, problems: Problems) {
    this.#document = document;
    this.#lines = lines;
    this.#problems = problems;
  }

  read(node: unknown, depth: number, parentAt: Position): Tree | undefined {
    const at = this.#position(node) ?? parentAt;
    this.#values += 1;
    if (depth > maxDepth || this.#values > maxValues) {
      if (this.#values !== Number.POSITIVE_INFINITY) this.#problems.add(at, 'values nest too deeply or are too many');
      this.#values = Number.POSITIVE_INFINITY;
      return undefined;
    }
    if (isAlias(node)) {
      const target = node.resolve(this.#document);
      if (target !== undefined) return this.read(target, depth + 1, at);
      this.#problems.add(
        at,
        `the alias ${quoteText(`*${node.source}`)} stands for nothing: no value before it has that anchor`,
      );
      return undefined;
    }
    if (isMap(node)) return { kind: 'map', at, entries: node.items.flatMap((pair) => this.#entry(pair, depth, at)) };
    if (isSeq(node)) {
      return { kind: 'list', at, items: node.items.flatMap((item) => this.read(item, depth + 1, at) ?? []) };
    }
    return this.#scalar(node, at);
  }

  #entry(pair: { readonly key: unknown; readonly value: unknown }, depth: number, at: Position): TreeEntry[] {
    const key = this.read(pair.key, depth + 1, at);
    if (key === undefined) return [];
    if (key.kind !== 'scalar') {
      this.#problems.add(key.at, 'a key must be one word');
      return [];
    }
    const value = this.read(pair.value, depth + 1, key.at);
    return value === undefined ? [] : [{ key: key.text, keyAt: key.at, value }];
  }

  #scalar(node: unknown, at: Position): TreeScalar {
    const value = isScalar(node) ? node.value : null;
    const text = isScalar(node) ? (node.source ?? String(value)) : '';
    if (typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean') {
      return { kind: 'scalar', at, value, text };
    }
    return { kind: 'scalar', at, value: null, text };
  }

  #position(node: unknown): Position | undefined {
    const offset = isNode(node) ? node.range?.[0] : undefined;
    if (offset === undefined) return undefined;
    const { line, col } = this.#lines.linePos(offset);
    return { line, column: col };
  }
}
