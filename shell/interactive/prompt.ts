/**
 * The prompt: NSH_PROMPT, a template in the manner of bash's PS1, filled with what is so now. Pure. The escapes are described in
 * man/nsh.1 (PROMPT); a new one goes into `values` and there.
 */
import type { StyledRun } from '../editor/styled-run.ts';
import { cutToWidth, displayWidth, escapeLines, escapeText } from '../escape.ts';

export interface PromptFacts {
  readonly user: string;
  readonly isRoot: boolean;
  /** Of this machine. */
  readonly host: string;
  readonly cluster: string;
  /** Where the session is. */
  readonly node: string;
  /** Logical working directory there. */
  readonly cwd: string;
  /** The user's home directory there. */
  readonly home: string;
  readonly status: number;
  /** Running and stopped ones. */
  readonly jobs: number;
  readonly nodesUp: number;
  readonly nodesAll: number;
  /** Number of the line in this session. */
  readonly line: number;
  readonly now: Date;
}

export interface PromptOptions {
  readonly colour: boolean;
  /** Of the terminal. */
  readonly columns: number;
}

export const defaultTemplate = String.raw`\<green>\N\<> \<blue>\w\<>\{n \{u\<dim>\}\{d\<red>\}\U/\M\<>\}\{j \<yellow>\j&\<>\}\{? \<red>\?\<>\} \$ `;

const styles: Readonly<Record<string, string>> = {
  bold: '1',
  dim: '2',
  italic: '3',
  underline: '4',
  reverse: '7',
  red: '31',
  green: '32',
  yellow: '33',
  blue: '34',
  magenta: '35',
  cyan: '36',
  white: '37',
};

type Value = (facts: PromptFacts, options: PromptOptions) => string;

const values: Readonly<Record<string, Value>> = {
  N: ({ node }) => node,
  C: ({ cluster }) => cluster,
  U: ({ nodesUp }) => String(nodesUp),
  M: ({ nodesAll }) => String(nodesAll),
  D: ({ nodesAll, nodesUp }) => String(Math.max(0, nodesAll - nodesUp)),
  w: ({ cwd, home }, { columns }) => shortenPath(tilde(cwd, home), Math.max(12, Math.floor(columns / 3))),
  W: ({ cwd, home }) => (cwd === home ? '~' : (cwd.split('/').findLast((part) => part !== '') ?? '/')),
  u: ({ user }) => user,
  h: ({ host }) => host.split('.')[0] ?? host,
  H: ({ host }) => host,
  j: ({ jobs }) => String(jobs),
  '?': ({ status }) => String(status),
  '#': ({ line }) => String(line),
  t: ({ now }) => clock(now),
  A: ({ now }) => clock(now).slice(0, 5),
  $: ({ isRoot }) => (isRoot ? '#' : '$'),
};

/** For the test of the man page. */
export const promptEscapes: readonly string[] = Object.keys(values);

/** Whether a `\{X … \}` is shown. */
const conditions: Readonly<Record<string, (facts: PromptFacts) => boolean>> = {
  '?': ({ status }) => status !== 0,
  j: ({ jobs }) => jobs > 0,
  d: ({ nodesUp, nodesAll }) => nodesUp < nodesAll,
  u: ({ nodesUp, nodesAll }) => nodesUp >= nodesAll,
  n: ({ nodesAll }) => nodesAll > 1,
  r: ({ isRoot }) => isRoot,
};

/** @returns runs for layout.ts: styles are `sgr:CODES`, line feeds are in the texts. What stands for nothing known is shown as it is written. */
export function renderPrompt(template: string, facts: PromptFacts, options: PromptOptions): StyledRun[] {
  const runs: StyledRun[] = [];
  /** Groups that are open; false: what is in it is left out. */
  const shown: boolean[] = [];
  let style = '';
  for (const { kind, value } of readTemplate(template)) {
    if (kind === 'open') shown.push(conditions[value]?.(facts) ?? true);
    else if (kind === 'close') shown.pop();
    else if (shown.includes(false)) continue;
    else if (kind === 'style') style = value === '' || !options.colour ? '' : `sgr:${value}`;
    else if (kind === 'text') runs.push({ text: escapeLines(value), style });
    else runs.push({ text: escapeText(values[value]?.(facts, options) ?? ''), style });
  }
  return runs;
}

interface Part {
  readonly kind: 'text' | 'value' | 'open' | 'close' | 'style';
  /** Of `style` the codes of SGR, of `open` the name of its condition. */
  readonly value: string;
}

function* readTemplate(template: string): Generator<Part> {
  let rest = template;
  while (rest !== '') {
    const [length, part] = readPart(rest);
    if (part !== undefined) yield part;
    rest = rest.slice(length);
  }
}

/** The first part, and how much of the template it takes; some stand for nothing. */
function readPart(rest: string): readonly [length: number, part?: Part] {
  const plain = /^[^\\]+/.exec(rest)?.[0];
  if (plain !== undefined) return [plain.length, { kind: 'text', value: plain }];
  // Colours as they are written for bash: `\[\e[1;32m\]`. Other sequences could move the cursor, and are left out.
  const raw = /^\\(?:e|033|x1b)\[([\d;:]*)([@-~])/.exec(rest);
  if (raw !== null) {
    const [whole, codes = '', final] = raw;
    return final === 'm' ? [whole.length, { kind: 'style', value: codes === '0' ? '' : codes }] : [whole.length];
  }
  const named = /^\\<([^>]*)>?/.exec(rest);
  if (named !== null) return [named[0].length, { kind: 'style', value: codesOf(named[1] ?? '') }];
  const group = /^\\\{(.)?/su.exec(rest)?.[1];
  if (rest.startsWith('\\{')) {
    const isKnown = group !== undefined && conditions[group] !== undefined;
    return [isKnown ? 3 : 2, { kind: 'open', value: isKnown ? group : '' }];
  }
  const name = String.fromCodePoint(rest.codePointAt(1) ?? 0x5c);
  const length = 1 + (rest.length > 1 ? name.length : 0);
  if (name === '}') return [length, { kind: 'close', value: '' }];
  if (name === '[' || name === ']' || name === 'a') return [length];
  if (name === 'n') return [length, { kind: 'text', value: '\n' }];
  if (values[name] !== undefined) return [length, { kind: 'value', value: name }];
  return [length, { kind: 'text', value: name === '\\' ? name : `\\${name}` }];
}

/** `bold red`, `32`, or nothing, which ends all. */
function codesOf(words: string): string {
  const codes = words.split(/[\s,;]+/).flatMap((word) => styles[word] ?? (/^\d{1,3}$/.test(word) ? word : []));
  return codes.join(';');
}

/** `~` for the home directory and what lies in it. */
export function tilde(path: string, home: string): string {
  if (home === '' || home === '/') return path;
  if (path === home) return '~';
  return path.startsWith(`${home}/`) ? `~${path.slice(home.length)}` : path;
}

/** The beginning and the last parts of a long path: `~/…/shell/interactive`. */
export function shortenPath(path: string, cells: number): string {
  const safe = escapeText(path);
  if (displayWidth(safe) <= cells) return safe;
  const parts = safe.split('/');
  const [first = ''] = parts;
  for (let kept = parts.length - 2; kept >= 1; kept--) {
    const short = [first, '…', ...parts.slice(-kept)].join('/');
    if (displayWidth(short) <= cells) return short;
  }
  const last = parts.at(-1) ?? '';
  const text = `…/${last}`;
  return displayWidth(text) <= cells ? text : `${cutToWidth(text, cells - 1)}…`;
}

function clock(now: Date): string {
  return [now.getHours(), now.getMinutes(), now.getSeconds()].map((part) => String(part).padStart(2, '0')).join(':');
}
