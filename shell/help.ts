/** `--help` of a command, from the same table that its options are parsed by. */
import type { Described, OptionSpec } from './command.ts';

/** Off a terminal. */
const defaultColumns = 80;
const indent = 2;
/** Option texts wider than this have their summary on the next line. */
const maxOptionColumn = 30;

/** @param prefix what stands before the command's name in a usage line: `nsh`, or nothing for a builtin. */
export function renderHelp(command: Described, columns: number = defaultColumns, prefix = 'nsh'): string {
  const width = Math.max(columns, 40);
  const call = prefix === '' ? command.name : `${prefix} ${command.name}`;
  const usage = command.synopsis.flatMap((synopsis, index) => {
    const head = `${index === 0 ? 'Usage: ' : '       '}${call} `;
    return hang(head, synopsis, head.length, width);
  });
  const parts = [usage, wrap(`${command.summary.slice(0, 1).toUpperCase()}${command.summary.slice(1)}.`, width)];
  if (command.options.length > 0) parts.push(['Options:', ...renderOptions(command.options, width)]);
  for (const text of command.details ?? []) parts.push(wrap(text, width));
  return parts.map((lines) => lines.map((line) => `${line.trimEnd()}\n`).join('')).join('\n');
}

function renderOptions(options: readonly OptionSpec[], width: number): string[] {
  const rows = options.map((option) => ({ text: formatOption(option), summary: option.summary }));
  const widest = Math.max(...rows.map(({ text }) => text.length).filter((length) => length <= maxOptionColumn), 0);
  const column = indent + widest + 2;
  return rows.flatMap(({ text, summary }) => {
    const head = `${' '.repeat(indent)}${text}`;
    if (head.length + 2 <= column) return hang(head.padEnd(column), summary, column, width);
    return [head, ...hang(' '.repeat(column), summary, column, width)];
  });
}

/** `-n, --on=NODESET`, `-n NODESET`, `    --json`. */
export function formatOption({ short, long, argument }: OptionSpec): string {
  const optional = argument?.startsWith('[') === true ? argument.slice(1, -1) : undefined;
  const shortText = short === undefined ? undefined : `-${short}`;
  if (long === undefined) {
    const value = optional === undefined ? ` ${argument ?? ''}` : `[${optional}]`;
    return `${shortText ?? ''}${argument === undefined ? '' : value}`;
  }
  const value = optional === undefined ? `=${argument ?? ''}` : `[=${optional}]`;
  return `${shortText === undefined ? '   ' : `${shortText},`} --${long}${argument === undefined ? '' : value}`;
}

/** Wraps text beside a head; further lines are indented. */
function hang(head: string, text: string, column: number, width: number): string[] {
  const [first = '', ...others] = wrap(text, Math.max(width - column, 20));
  return [head + first, ...others.map((line) => ' '.repeat(column) + line)];
}

/** Breaks at spaces; a word that is too long has a line of its own. */
export function wrap(text: string, width: number): string[] {
  const lines: string[] = [];
  let line = '';
  for (const word of text.split(' ')) {
    if (line !== '' && line.length + 1 + word.length > width) {
      lines.push(line);
      line = '';
    }
    line += line === '' ? word : ` ${word}`;
  }
  return [...lines, line];
}
