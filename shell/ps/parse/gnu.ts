/** GNU long options, with their argument after `=`, after `:`, or in the next word; and nsh's own: --on, --ended, --json. */
import { suggestNear } from '../../../src/ids/near.ts';
import type { ListKind } from '../query.ts';
import { addList, setHeading, usage, type Draft, type Words } from './draft.ts';

const lists: Readonly<Record<string, ListKind>> = {
  Group: 'realGroup',
  User: 'realUser',
  group: 'effectiveGroup',
  pid: 'pid',
  ppid: 'ppid',
  'quick-pid': 'quickPid',
  sid: 'session',
  tty: 'tty',
  user: 'effectiveUser',
};

const switches: Readonly<Record<string, (draft: Draft) => void>> = {
  context: (draft) => void draft.flags.add('context'),
  cumulative: (draft) => void (draft.withDead = true),
  deselect: (draft) => void (draft.negate = true),
  forest: (draft) => void (draft.forest = 'art'),
  ended: (draft) => void (draft.ended = true),
  json: (draft) => void (draft.json = true),
  version: (draft) => void (draft.version = true),
};
for (const word of ['header', 'headers', 'heading', 'headings']) {
  Object.assign(switches, { [word]: (draft: Draft) => setHeading(draft, 'repeat') });
}
for (const word of ['header', 'headers', 'heading', 'headings']) {
  const none = (draft: Draft): void => setHeading(draft, 'none');
  Object.assign(switches, { [`no-${word}`]: none, [`no${word}`]: none });
}

const valued: Readonly<Record<string, (draft: Draft, value: string) => void>> = {
  cols: setColumns,
  columns: setColumns,
  width: setColumns,
  rows: setRows,
  lines: setRows,
  format: (draft, text) => void draft.deferred.push({ kind: 'format', text }),
  sort: (draft, text) => void draft.deferred.push({ kind: 'sort', text }),
  on: (draft, nodeset) => void (draft.on = nodeset),
};

export function parseGnuWord(draft: Draft, word: string, words: Words): void {
  const {
    name = '',
    separator,
    attached = '',
  } = /^--(?<name>[^:=]*)(?<separator>[:=])?(?<attached>[^]*)$/.exec(word)?.groups ?? {};
  const change = switches[name];
  if (change !== undefined) {
    if (separator !== undefined) throw usage(`option --${name} does not take an argument`);
    change(draft);
    return;
  }
  if (name === 'info') throw usage('--info tells how procps was built, which nsh is not made of; --version is there');
  const list = lists[name];
  const set = valued[name];
  if (list === undefined && set === undefined) {
    const known = [...Object.keys(switches), ...Object.keys(lists), ...Object.keys(valued)];
    throw usage(`unknown option '--${name}'${suggestNear(name, known, (near) => `--${near}`)}`);
  }
  const argument = separator === undefined ? words.argument('') : attached;
  if (argument === undefined || argument === '') throw usage(`option --${name} needs an argument`);
  if (list !== undefined) addList(draft, list, argument);
  else set?.(draft, argument);
}

function setColumns(draft: Draft, text: string): void {
  draft.columns = positive(text, 'number of columns must follow --cols, --width, or --columns');
}

function setRows(draft: Draft, text: string): void {
  draft.rows = positive(text, 'number of rows must follow --rows or --lines');
}

function positive(text: string, message: string): number {
  const value = Number(text);
  if (!/^\d+$/.test(text) || value < 1 || value >= 2_000_000_000) throw usage(message);
  return value;
}
