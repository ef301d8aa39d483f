/** UNIX options: `-ef`, `-o LIST`, bundled behind one dash; an option with an argument ends its word. */
import type { ListKind } from '../query.ts';
import {
  addList,
  addSessionsOrGroups,
  usage,
  type Draft,
  type FormatFlag,
  type FormatModifier,
  type SimpleOption,
  type ThreadFlag,
  type Words,
} from './draft.ts';

const lists: Readonly<Record<string, readonly [ListKind, string]>> = {
  C: ['command', 'list of command names must follow -C'],
  G: ['realGroup', 'list of real groups must follow -G'],
  U: ['realUser', 'list of real users must follow -U'],
  p: ['pid', 'list of process IDs must follow -p'],
  q: ['quickPid', 'list of process IDs must follow -q'],
  s: ['session', 'list of session IDs must follow -s'],
  t: ['tty', 'list of terminals (pty, tty...) must follow -t'],
  u: ['effectiveUser', 'list of users must follow -u'],
};
const formatFlags: Readonly<Record<string, FormatFlag>> = { f: 'f', l: 'l' };
const modifiers: Readonly<Record<string, FormatModifier>> = { F: 'F', M: 'M', Z: 'M', P: 'P', c: 'c', j: 'j', y: 'y' };
const threads: Readonly<Record<string, ThreadFlag>> = { L: 'L', T: 'T', m: 'unix-m' };
const simple: Readonly<Record<string, SimpleOption>> = { a: 'unix-a', d: 'unix-d' };

/** @param knowsUser whether this machine has a user of that name: `-aux` is `aux` unless there is a user called x. */
export function parseUnixWord(draft: Draft, word: string, words: Words, knowsUser: (name: string) => boolean): void {
  for (let i = 1; i < word.length; i++) {
    const option = word.charAt(i);
    const rest = word.slice(i + 1);
    const list = lists[option];
    if (list !== undefined) {
      const [kind, missing] = list;
      if (option === 'u' && i > 1 && /^[a-z]+$/.test(rest) && !knowsUser(rest)) {
        throw usage(`user name does not exist: '${rest}'`);
      }
      addList(draft, kind, argumentOf(rest, words, missing));
      return;
    }
    if (option === 'g') {
      addSessionsOrGroups(
        draft,
        argumentOf(rest, words, 'list of session leaders OR effective group names must follow -g'),
      );
      return;
    }
    if (option === 'o' || option === 'O') {
      const text = argumentOf(rest, words, `format specification must follow -${option}`);
      draft.deferred.push({ kind: option === 'o' ? 'format' : 'unix-O', text });
      return;
    }
    applySimple(draft, option);
  }
}

function applySimple(draft: Draft, option: string): void {
  const flag = formatFlags[option];
  const modifier = modifiers[option];
  const select = simple[option];
  const thread = threads[option];
  if (flag !== undefined) draft.flags.add(flag);
  if (modifier !== undefined) draft.modifiers.add(modifier);
  if (select !== undefined) draft.simple.add(select);
  if (thread !== undefined) draft.threads.add(thread);
  if (option === 'F') draft.flags.add('f');
  if ([flag, modifier, select, thread].some((known) => known !== undefined)) return;
  switch (option) {
    case 'A':
    case 'e':
      draft.all = true;
      return;
    case 'H':
      draft.forest = 'indent';
      return;
    case 'N':
      draft.negate = true;
      return;
    case 'V':
      draft.version = true;
      return;
    case 'w':
      draft.wideCount++;
      return;
    case 'x':
      if (!draft.personality.xIsY) throw usage('must set personality to get -x option');
      draft.modifiers.add('y');
      return;
    case '-':
      throw usage("embedded '-' among UNIX options makes no sense");
    default:
      throw usage(`unsupported option '-${option}'`);
  }
}

function argumentOf(attached: string, words: Words, missing: string): string {
  const argument = words.argument(attached);
  if (argument === undefined) throw usage(missing);
  return argument;
}
