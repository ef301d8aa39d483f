/** The kinds of what a line consists of, as names of styles, and what the highlighter must be told of the world. */
import type { Surroundings } from '../language/nsh-words.ts';

export const highlightStyles = [
  /** Covered by a word that has no style of its own. */
  'plain',
  'command',
  /** There is no such command where it would run. */
  'command-missing',
  /** Not known yet, or not to be known. */
  'command-unsure',
  /** nsh's own. */
  'builtin',
  'node',
  'node-missing',
  'node-unsure',
  'function',
  'keyword',
  'assignment',
  'string',
  'expansion',
  'redirection',
  'comment',
  'operator',
  'error',
] as const;

export type HighlightStyle = (typeof highlightStyles)[number];

export type Known = 'known' | 'missing' | 'unsure';

/** Answers come from what is known already: asked for every key, it must do no I/O. */
export interface HighlightLookup {
  /** Another number whenever an answer may have changed. */
  readonly version: number;
  /** nsh's builtins, and what the session has defined. */
  readonly around: Surroundings;
  /** @param nodeset `web[1-8]` of `@web[1-8]`; undefined: where the session is. */
  command(name: string, nodeset: string | undefined): Known;
  /** @param nodeset without its `@`, as it was typed. */
  nodeset(nodeset: string): Known;
}
