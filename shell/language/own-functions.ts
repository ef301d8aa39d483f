/** What a script defines itself comes before nsh's builtins of the same name. */
import { forEachChild, type SyntaxNode } from 'unbash';
import type { Surroundings } from './nsh-words.ts';
import type { ScriptTree } from './script-tree.ts';

/** Functions and aliases that the script itself defines count from its beginning. */
export function withOwnFunctions(tree: ScriptTree, around: Surroundings): Surroundings {
  const defined = definedIn(tree);
  return { ...around, isDefined: (name) => defined.has(name) || around.isDefined(name) };
}

export function definedIn(tree: ScriptTree): ReadonlySet<string> {
  const defined = new Set<string>();
  const visit = (node: SyntaxNode): void => {
    if (node.type === 'Function') defined.add(node.name.text);
    if (node.type === 'Command' && node.name?.text === 'alias') {
      for (const word of node.args) {
        const name = word.text.split('=', 1)[0];
        if (name !== undefined) defined.add(name);
      }
    }
    forEachChild(node, visit);
  };
  visit(tree);
  return defined;
}
