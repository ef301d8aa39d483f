/**
 * What bash must call nsh back for: nodeset words and builtins inside compound commands, functions and substitutions, where a script is not cut. A name is enough;
 * bash decides when it runs.
 */
import { forEachChild, type SyntaxNode } from 'unbash';
import type { ByteText } from './byte-text.ts';
import { bashOwn, concernOf, isGuarded, isNodesetWord, type Surroundings } from './nsh-words.ts';
import { withOwnFunctions } from './own-functions.ts';
import { parseScript, type ScriptTree } from './script-tree.ts';

export interface CallBacks {
  readonly nodesets: boolean;
  readonly builtins: readonly string[];
  /** Names of bash's own that are nsh's where a cluster PID is among the words. */
  readonly guarded: readonly string[];
}

/** Cheap, and never wrong when it says no. */
export function mayConcern(text: ByteText, builtins: ReadonlySet<string>): boolean {
  if (/(?:^|[\s;&|({!`])@[^\s(=]/.test(text)) return true;
  for (const [name] of text.matchAll(/[A-Za-z][\w-]*/g)) if (builtins.has(name)) return true;
  return false;
}

/** All commands of nsh's in the text, at whatever depth. */
export function findCallBacks(text: ByteText, around: Surroundings, tree?: ScriptTree): CallBacks {
  if (!mayConcern(text, around.builtins)) return none;
  const script = tree ?? parseScript(text);
  const own = withOwnFunctions(script, around);
  let nodesets = false;
  const builtins = new Set<string>();
  const guarded = new Set<string>();
  const visit = (node: SyntaxNode): void => {
    if (node.type === 'Command') {
      const concern = concernOf(node, own);
      if (concern?.kind === 'node') nodesets = true;
      else if (concern?.kind === 'builtin') builtins.add(concern.name);
      else if (isGuarded(node, own)) guarded.add(node.name?.text ?? '');
      // `xargs`, `env`, `timeout` and the like find programs only; a nodeset behind `command` and `exec` is no program either.
      else if (node.name?.text === 'eval' && node.args.some((word) => word.type === 'Word' && isNodesetWord(word))) {
        nodesets = true;
      }
    }
    forEachChild(node, visit);
  };
  visit(script);
  return { nodesets, builtins: [...builtins], guarded: [...guarded].filter((name) => !builtins.has(name)) };
}

const none: CallBacks = { nodesets: false, builtins: [], guarded: [] };

/** For text that does not parse: a nodeset word or a builtin stands where a command could begin. */
export function hasCommandWord(text: ByteText, builtins: ReadonlySet<string>): boolean {
  for (const [, word = ''] of text.matchAll(
    /(?:^|[;&|({\n`!]|\b(?:do|then|else|if|while|until|time))[ \t]*([^\s;&|<>(){}]+)/g,
  )) {
    if (/^@[^(=]/.test(word) || (builtins.has(word) && !bashOwn.has(word))) return true;
  }
  return false;
}
