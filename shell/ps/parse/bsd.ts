/** BSD options: `aux`, without a dash; an option with an argument ends its word. */
import type { ListKind } from '../query.ts';
import { addList, setHeading, usage, type Deferred, type Draft, type FormatFlag, type Words } from './draft.ts';

const formatFlags: Readonly<Record<string, FormatFlag>> = {
  j: 'bsd-j',
  l: 'bsd-l',
  s: 'bsd-s',
  u: 'bsd-u',
  v: 'bsd-v',
  X: 'bsd-X',
};
const lists: Readonly<Record<string, readonly [ListKind, string]>> = {
  U: ['effectiveUser', 'list of users must follow U'],
  p: ['pid', 'list of process IDs must follow p'],
  q: ['quickPid', 'list of process IDs must follow q'],
};
const deferred: Readonly<Record<string, readonly [Deferred['kind'], string]>> = {
  O: ['bsd-O', 'format or sort specification must follow O'],
  o: ['format', 'format specification must follow o'],
  k: ['sort', "long sort specification must follow 'k'"],
};
const switches: Readonly<Record<string, (draft: Draft) => void>> = {
  H: (draft) => void draft.threads.add('H'),
  L: (draft) => void (draft.listColumns = true),
  M: (draft) => void draft.threads.add('bsd-m'),
  S: (draft) => void (draft.withDead = true),
  T: (draft) => void draft.lists.push({ kind: 'ownTty' }),
  V: (draft) => void (draft.version = true),
  Z: (draft) => void draft.modifiers.add('M'),
  a: (draft) => void draft.simple.add('bsd-a'),
  c: (draft) => void (draft.commandOnly = true),
  e: (draft) => void (draft.withEnviron = true),
  f: (draft) => void (draft.forest = 'art'),
  g: () => undefined, // session leaders too, as everywhere since SunOS 4
  h: (draft) => setHeading(draft, draft.personality.repeatsHeading ? 'repeat' : 'none'),
  m: memoryOrThreads,
  n: (draft) => void (draft.numeric = true),
  r: (draft) => void (draft.runningOnly = true),
  w: (draft) => void draft.wideCount++,
  x: (draft) => void draft.simple.add('bsd-x'),
};

/** @param letters the word, without the dash that it may have had. */
export function parseBsdWord(draft: Draft, letters: string, words: Words): void {
  draft.bsdDefaults = true;
  for (let i = 0; i < letters.length; i++) {
    const option = letters.charAt(i);
    const rest = letters.slice(i + 1);
    if (/\d/.test(option)) {
      addList(draft, 'pid', letters.slice(i));
      return;
    }
    if (takesArgument(draft, option, rest, words)) return;
    if (option === 'L' && !(words.single && letters === 'L')) throw usage('the option is exclusive: L');
    const flag = formatFlags[option];
    const change = switches[option];
    if (flag !== undefined) draft.flags.add(flag);
    else if (change !== undefined) change(draft);
    else throw usage(`unsupported option '${option}' (BSD syntax)`);
  }
}

function takesArgument(draft: Draft, option: string, rest: string, words: Words): boolean {
  const list = lists[option];
  const later = deferred[option];
  if (list !== undefined) addList(draft, list[0], argumentOf(rest, words, list[1]));
  else if (later !== undefined) draft.deferred.push({ kind: later[0], text: argumentOf(rest, words, later[1]) });
  else if (option === 't') addTerminals(draft, words.argument(rest));
  else return false;
  return true;
}

/** Without a list `t` means this terminal. */
function addTerminals(draft: Draft, list: string | undefined): void {
  if (list === undefined) draft.lists.push({ kind: 'ownTty' });
  else addList(draft, 'tty', list);
}

/** `m` has had three meanings; `ps -axm`, read as BSD options, has the oldest. */
function memoryOrThreads(draft: Draft): void {
  const { meaningOfM } = draft.personality;
  if (meaningOfM === 'sort') draft.deferred.push({ kind: 'sort', text: 'pmem' });
  else if (meaningOfM === 'format' || draft.secondChance) draft.flags.add('old-m');
  else draft.threads.add('bsd-m');
}

function argumentOf(attached: string, words: Words, missing: string): string {
  const argument = words.argument(attached);
  if (argument === undefined) throw usage(missing);
  return argument;
}
