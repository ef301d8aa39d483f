/** The formats that options choose, and lists of columns as a person types them. Headings and orders are procps's; NODE is put after PID. */
import { explainUnknownColumn, findColumn, withGivenName, type Column } from '../columns/index.ts';
import type { FormatColumn } from '../query.ts';
import { usage, type Draft, type FormatFlag } from './draft.ts';
import { addThreadColumns } from './thread-style.ts';

const bsdFormats: Readonly<Partial<Record<FormatFlag, string>>> = {
  'bsd-j': 'ppid,pid,pgid,sid,tname,tpgid,stat,uid,bsdtime,args',
  'bsd-l': 'flags,uid,pid,ppid,priority,nice,vsz,rss,wchan,stat,tname,bsdtime,args',
  'bsd-s': 'uid,pid,pending,sig_block,sig_ignore,caught,stat,tname,bsdtime,args',
  'bsd-u': 'user,pid,pcpu,pmem,vsz,rss,tname,stat,start_time,bsdtime,args',
  'bsd-v': 'pid,tname,stat,bsdtime,maj_flt,m_trs,m_drs,rss,pmem,args',
  'bsd-X': 'pid,start_stack,esp,eip,timeout,alarm,stat,tname,bsdtime,args',
  'old-m': 'pid,tname,majflt,minflt,m_trs,m_drs,m_size,m_swap,rss,m_share,vm_lib,m_dt,args',
  context: 'pid,context,command',
};

/** Where -O and O put their columns: between the PID and these. */
export const trailers = { unix: 'state,tname,time,command', bsd: 'state,tname,cputime,comm' } as const;

/** The format that the options ask for where no list was given. @throws NshError `usage` where they contradict each other. */
export function chooseFormat(draft: Draft): FormatColumn[] {
  const { flags, modifiers, personality } = draft;
  const [only] = flags;
  const bsd = flags.size === 1 && only !== undefined ? (personality.formats[only] ?? bsdFormats[only]) : undefined;
  if (bsd !== undefined) return modifyFormat(bsd.split(','), draft).map(optionColumn);
  for (const flag of flags) if (flag !== 'f' && flag !== 'l') throw usage('conflicting format options');
  if (modifiers.has('y') && !flags.has('l')) throw usage('modifier -y without format -l makes no sense');
  return unixFormat(draft).map(optionColumn);
}

function unixFormat({ flags, modifiers, bsdDefaults, threads, personality }: Draft): string[] {
  const full = flags.has('f');
  const long = flags.has('l');
  const [F, M, P, c, j, y] = (['F', 'M', 'P', 'c', 'j', 'y'] as const).map((modifier) => modifiers.has(modifier));
  const parts: readonly (readonly [boolean | undefined, string])[] = [
    [M, 'label'],
    [long && !y, 'f'],
    [long, 's'],
    [full, personality.linux ? 'user' : 'uid_hack'],
    [long && !full, 'uid'],
    [true, 'pid'],
    [threads.has('T'), 'spid'],
    [full || long, 'ppid'],
    [j, 'pgid,sid'],
    [threads.has('L'), 'lwp'],
    [P, 'psr'],
    [(full || long) && !c, 'c'],
    [full && threads.has('L'), 'nlwp'],
    [c, 'class,pri'],
    [long && !c, 'opri,ni'],
    [long, y ? 'rss' : personality.linux ? 'sgi_p' : 'addr_1'],
    [F || long, 'sz'],
    [long, 'wchan'],
    [F && !(long && y), 'rss'],
    [F && !P, 'psr'],
    [full, 'stime'],
    [true, 'tname'],
    [bsdDefaults && !long, 'stat'],
    [true, bsdDefaults ? 'bsdtime' : 'time'],
    [true, bsdDefaults ? (full || long ? 'cmd' : 'args') : full ? 'cmd' : 'ucmd'],
  ];
  return parts.flatMap(([wanted, names]) => (wanted === true ? names.split(',') : []));
}

/** UNIX modifiers on a BSD format. */
function modifyFormat(names: readonly string[], draft: Draft): string[] {
  const { modifiers } = draft;
  let format = [...names];
  if (modifiers.has('j')) {
    const after = format.includes('ppid') ? 'ppid' : 'pid';
    format = format.flatMap((name) => (name === after ? [name, 'pgid', 'sid'] : [name]));
  }
  if (modifiers.has('y')) format = format.filter((name) => name !== 'flags');
  if (modifiers.has('c')) {
    if (!format.includes('priority')) throw usage('-c needs a format that shows priorities');
    const without = new Set(['pcpu', 'nice']);
    format = format.flatMap((name) => (without.has(name) ? [] : name === 'priority' ? ['class', 'pri'] : [name]));
  }
  format = addThreadColumns(format, draft);
  return modifiers.has('M') ? ['label', ...format] : format;
}

/** NODE after PID, STATUS where ended processes are shown, and the names that were given: for formats that nobody spelled out. */
export function withNode(format: readonly FormatColumn[], ended: boolean): FormatColumn[] {
  const added = (ended ? ['node', 'status'] : ['node']).map(formatColumn);
  const at = format.findIndex(({ column }) => column.name === 'pid');
  const named = format.map((each) =>
    each.column.name === 'ucmd' ? { ...each, column: withGivenName(each.column) } : each,
  );
  return [...named.slice(0, at + 1), ...added, ...named.slice(at + 1)];
}

/** Columns of other systems in the formats of options, heading and width: nobody can name them, and they always show `-`. */
const placeholders: Readonly<Record<string, readonly [string, number]>> = {
  alarm: ['ALARM', 5],
  cpu: ['CPU', 3],
  jobc: ['JOBC', 4],
  m_dt: ['DT', 4],
  m_share: ['SHRD', 5],
  m_swap: ['SWAP', 5],
  re: ['RE', 3],
  sl: ['SL', 3],
  timeout: ['TMOUT', 5],
  vm_lib: ['LIB', 5],
};

function optionColumn(name: string): FormatColumn {
  const [header, width] = placeholders[name] ?? [];
  if (header === undefined || width === undefined) return formatColumn(name);
  const column: Column = { ...fillerColumn, name, header, width, align: 'right', text: () => '-' };
  return { column, header, width, fixed: false };
}

export function formatColumn(name: string): FormatColumn {
  const column = findColumn(name);
  if (column === undefined) throw usage(explainUnknownColumn(name));
  return { column, header: column.header, width: column.width, fixed: false };
}

/** A list as -o takes it: `pid,user=WHO,args:40`, or AIX descriptors: `%U %p`. @throws NshError `usage` */
export function parseFormatList(text: string): FormatColumn[] {
  try {
    return splitList(text, 'format').flatMap(parseFormatItem);
  } catch (error) {
    if (!text.includes('%')) throw error;
    return parseAixFormat(text) ?? rethrow(error);
  }
}

function rethrow(error: unknown): never {
  throw error;
}

/** Items parted by commas, blanks, tabs or line feeds; one separator may trail. */
export function splitList(text: string, what: 'format' | 'sort'): string[] {
  const items = text.split(/[ ,\t\n]/);
  if (items.length > 1 && items.at(-1) === '') items.pop();
  if (items.length === 1 && items[0] === '') throw usage(`empty ${what} list`);
  if (items.includes('')) throw usage(`improper ${what} list`);
  return items;
}

/** Names for several columns: procps's defaults. */
const macros: Readonly<Record<string, string>> = {
  DefBSD: 'pid,tname,stat,bsdtime,args',
  DefSysV: 'pid,tname,time,cmd',
};

function parseFormatItem(item: string): FormatColumn[] {
  const [name = '', more = ''] = item.split(/(?=[:=])/, 2);
  const macro = Object.hasOwn(macros, name) ? macros[name] : undefined;
  if (macro === undefined) return [parseOneColumn(item)];
  if (more.startsWith(':')) throw usage('can not set width for a macro (multi-column) format specifier');
  return macro.split(',').map((column) => parseOneColumn(column + item.slice(name.length)));
}

function parseOneColumn(item: string): FormatColumn {
  const equals = item.indexOf('=');
  const spec = equals < 0 ? item : item.slice(0, equals);
  const header = equals < 0 ? undefined : item.slice(equals + 1);
  const colon = spec.indexOf(':');
  const base = formatColumn(colon < 0 ? spec : spec.slice(0, colon));
  const titled =
    header === undefined ? base : { ...base, header, width: Math.max(base.width, Array.from(header).length) };
  if (colon < 0) return titled;
  const width = spec.slice(colon + 1);
  if (!/^[1-9]\d*$/.test(width)) throw usage('column widths must be unsigned decimal numbers');
  return { ...titled, width: Number(width), fixed: true };
}

const aix: Readonly<Record<string, readonly [string, string]>> = {
  C: ['pcpu', '%CPU'],
  G: ['group', 'GROUP'],
  P: ['ppid', 'PPID'],
  U: ['user', 'USER'],
  a: ['args', 'COMMAND'],
  c: ['comm', 'COMMAND'],
  g: ['rgroup', 'RGROUP'],
  n: ['nice', 'NI'],
  p: ['pid', 'PID'],
  r: ['pgid', 'PGID'],
  t: ['etime', 'ELAPSED'],
  u: ['ruser', 'RUSER'],
  x: ['time', 'TIME'],
  y: ['tty', 'TTY'],
  z: ['vsz', 'VSZ'],
};

/** Undefined where the text has no AIX descriptors that make sense. */
function parseAixFormat(text: string): FormatColumn[] | undefined {
  const format: FormatColumn[] = [];
  for (const [, letter, between] of text.matchAll(/%(.?)|([^%]+)/g)) {
    if (between !== undefined) {
      format.push({ column: fillerColumn, header: between, width: between.length, fixed: false, filler: between });
      continue;
    }
    const known = aix[letter ?? ''];
    if (known === undefined) return undefined;
    const [name, header] = known;
    const base = formatColumn(name);
    format.push({ ...base, header, width: Math.max(base.width, header.length) });
  }
  return format;
}

const fillerColumn: Column = {
  name: '',
  header: '',
  width: 0,
  align: 'left',
  needs: [],
  text: () => '',
  value: () => null,
};
