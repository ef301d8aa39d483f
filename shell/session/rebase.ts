/**
 * Takes over what a step changed into a session that has gone on meanwhile: the step was stopped, or its terminal left, and has ended only
 * now. What the session itself has changed since then stands, as in bash, where the step's changes came first. Pure.
 */
import type { Changed, ShellState } from './shell-state.ts';

/** @param before what the step was given. @param after what it made of that. @param now the session today. */
export function rebase(before: ShellState, after: ShellState, now: ShellState): ShellState {
  if (now === before) return after;
  const newer = <K extends keyof ShellState>(key: K): ShellState[K] =>
    (isSame(before[key], now[key]) ? after : now)[key];
  return {
    status: after.status,
    lastArgument: after.lastArgument,
    pipeStatus: after.pipeStatus,
    directory: newer('directory'),
    directories: newer('directories'),
    umask: newer('umask'),
    limits: rebaseNames(before.limits, after.limits, now.limits),
    secondsFrom: newer('secondsFrom'),
    positional: newer('positional'),
    options: rebaseNames(before.options, after.options, now.options),
    shopts: rebaseNames(before.shopts, after.shopts, now.shopts),
    variables: rebaseNames(before.variables, after.variables, now.variables),
    nodeVariables: rebaseNodes(before, after, now),
    functions: rebaseNames(before.functions, after.functions, now.functions),
    aliases: rebaseNames(before.aliases, after.aliases, now.aliases),
    traps: rebaseNames(before.traps, after.traps, now.traps),
  };
}

function rebaseNodes(before: ShellState, after: ShellState, now: ShellState): ShellState['nodeVariables'] {
  const result = new Map(now.nodeVariables);
  for (const [node, variables] of after.nodeVariables) {
    const given = before.nodeVariables.get(node) ?? new Map();
    result.set(node, rebaseNames(given, variables, now.nodeVariables.get(node) ?? new Map()));
  }
  return result;
}

/** Names never leave such a map: what a session took away stays in it as undefined. */
function rebaseNames<T>(before: Changed<T>, after: Changed<T>, now: Changed<T>): Changed<T> {
  const result = new Map(now);
  for (const [name, value] of after) {
    const isChanged = !before.has(name) || !isSame(before.get(name), value);
    const isOurs = now.has(name) === before.has(name) && isSame(now.get(name), before.get(name));
    if (isChanged && isOurs) result.set(name, value);
  }
  return result;
}

/** Plain data: texts, lists, and records of them. */
function isSame(a: unknown, b: unknown): boolean {
  return a === b || (typeof a === 'object' && JSON.stringify(a) === JSON.stringify(b));
}
