/** What may stand at the end of a list of words: pure, from what is typed and the tables of the builtins. */
import type { OptionSpec } from '../command.ts';
import { programsAlone } from '../commands/index.ts';
import { argumentWants, operandWants } from './operands.ts';
import { nothing, type CommandShape, type Decision, type Want } from './types.ts';

export interface Typed {
  /** Words of the command before the one at the cursor, unquoted. */
  readonly words: readonly string[];
  /** The word at the cursor as far as it is typed, unquoted. */
  readonly typed: string;
}

/** The table of a builtin; undefined for what is none. */
export type ShapeOf = (name: string) => CommandShape | undefined;

/** Programs that run the command in their operands. */
const wrappers: ReadonlySet<string> = new Set(
  'builtin command doas env exec ionice nice nohup setsid stdbuf strace sudo time unbuffer watch xargs'.split(' '),
);
/** Builtins whose first operand ends their options. */
/** Builtins that have a command behind `--`. */
const takesCommand: ReadonlySet<string> = new Set(['group']);
const posixOrder: ReadonlySet<string> = new Set(['run', 'demo']);

/** Which builtin's table `decide` will ask for, so that it can be loaded before. */
export function builtinOf(words: readonly string[]): string | undefined {
  const { rest, isNsh } = unwrap(words);
  return isNsh ? rest[0] : builtinName(rest[0]);
}

/** Without `nsh` before it, `node` is Node.js. */
function builtinName(name: string | undefined): string | undefined {
  return name === undefined || programsAlone.has(name) ? undefined : name;
}

export function decide({ words, typed }: Typed, shapeOf: ShapeOf): Decision {
  const { rest, where, isNsh } = unwrap(words);
  const place = where === undefined ? {} : { where };
  const [name, ...args] = rest;
  if (name === undefined) return { ...commandPosition(typed, isNsh, words.length === 0), ...place };
  const shape = shapeOf(name);
  if (shape !== undefined) return { ...place, ...decideBuiltin(shape, args, typed, shapeOf) };
  // `dd if=FILE`, `tar --file=FILE`
  const skip = /^(?:--?)?[A-Za-z_][\w-]*=/.exec(typed)?.[0].length ?? 0;
  if (typed.startsWith('-') && skip === 0) return nothing;
  const known = isNsh ? name : builtinName(name);
  const wants = known === undefined ? undefined : operandWants(known, args.length);
  return { wants: wants ?? [{ kind: 'path', only: 'any' }], skip, ...place };
}

interface Unwrapped {
  readonly rest: readonly string[];
  readonly where: string | undefined;
  /** Behind the word `nsh`, where only builtins can follow. */
  readonly isNsh: boolean;
}

/** Without a leading `@nodeset`, wrappers and `nsh` itself. */
function unwrap(words: readonly string[]): Unwrapped {
  const [first] = words;
  const where = first?.startsWith('@') === true ? first.slice(1) : undefined;
  let rest = where === undefined ? words : words.slice(1);
  for (;;) {
    const [name, ...args] = rest;
    const base = name?.replace(/^.*\//, '') ?? '';
    if (base === 'nsh') return { rest: args.slice(nshOptions(args)), where, isNsh: true };
    if (!wrappers.has(base)) return { rest, where, isNsh: false };
    const operand = args.findIndex((word) => !word.startsWith('-') && !/^\w+=/.test(word));
    rest = operand === -1 ? [] : args.slice(operand);
  }
}

/** How many words of `nsh --cluster FILE COMMAND` stand before the command. */
function nshOptions(args: readonly string[]): number {
  let count = 0;
  while (args[count]?.startsWith('-') === true) count += args[count] === '--cluster' ? 2 : 1;
  return count;
}

const nshOwnOptions: readonly OptionSpec[] = [
  { long: 'cluster', argument: 'FILE', summary: 'the cluster file' },
  { long: 'help', summary: 'list the commands' },
  { long: 'version', summary: 'print the version' },
];

function commandPosition(typed: string, isNsh: boolean, isFirst: boolean): Decision {
  if (isNsh) {
    if (typed.startsWith('--cluster=')) return { wants: [{ kind: 'path', only: 'any' }], skip: '--cluster='.length };
    const wants: Want[] = typed.startsWith('-') ? [{ kind: 'option', options: nshOwnOptions }] : [{ kind: 'builtin' }];
    return { wants, skip: 0 };
  }
  if (isFirst && typed.startsWith('@')) return { wants: [{ kind: 'nodeset', form: 'at' }], skip: 1 };
  if (typed.includes('/') || typed.startsWith('~')) return { wants: [{ kind: 'path', only: 'executable' }], skip: 0 };
  return { wants: [{ kind: 'command' }], skip: 0 };
}

/** What the words of a builtin have said so far. */
interface Read {
  readonly operands: readonly string[];
  /** The option that waits for its argument. */
  readonly pending: OptionSpec | undefined;
  /** `--` has been seen, or an operand that ends the options. */
  readonly isOver: boolean;
  readonly where: string | undefined;
}

function decideBuiltin(shape: CommandShape, args: readonly string[], typed: string, shapeOf: ShapeOf): Decision {
  const { name } = shape;
  const { operands, pending, isOver, where } = readArguments(shape, args);
  const place = where === undefined ? {} : { where };
  if (pending !== undefined) return { wants: argumentsOf(shape, pending), skip: 0 };
  if (!isOver && typed.startsWith('-')) return decideOption(shape, operands, typed);
  // The command that `run` starts, on the nodes that it names.
  if (name === 'run' || (name === 'demo' && isOver))
    return { ...decide({ words: operands, typed }, shapeOf), ...place };
  const end = takesCommand.has(name) ? args.indexOf('--') : -1;
  if (end !== -1) return { ...decide({ words: args.slice(end + 1), typed }, shapeOf), ...place };
  if (name === 'kill' && args.some((word) => /^(?:-l|--list)$/.test(word)))
    return { wants: [{ kind: 'signal', dash: false }], skip: 0 };
  return { wants: operandWants(name, operands.length) ?? [{ kind: 'path', only: 'any' }], skip: 0 };
}

function decideOption(shape: CommandShape, operands: readonly string[], typed: string): Decision {
  const { name } = shape;
  const options = shape.optionsFor?.(operands) ?? shape.options;
  const equals = typed.indexOf('=');
  if (typed.startsWith('--') && equals > 0) {
    const option = findLong(shape, typed.slice(2, equals));
    return option === undefined ? nothing : { wants: argumentsOf(shape, option), skip: equals + 1 };
  }
  const attached = options.find(({ short, argument }) => argument !== undefined && typed[1] === short);
  const isSignal = name === 'kill' && operands.length === 0 && !typed.startsWith('--');
  if (attached !== undefined && typed.length > 2 && !isSignal) return { wants: argumentsOf(shape, attached), skip: 2 };
  const signals: Want[] = isSignal ? [{ kind: 'signal', dash: true }] : [];
  return { wants: [{ kind: 'option', options }, ...signals], skip: 0 };
}

function readArguments(shape: CommandShape, args: readonly string[]): Read {
  const operands: string[] = [];
  let where: string | undefined;
  let isOver = false;
  let pending: OptionSpec | undefined;
  for (const word of args) {
    if (pending !== undefined) {
      if (pending.argument === 'NODESET') where = word;
      pending = undefined;
    } else if (isOver || word === '-' || !word.startsWith('-')) {
      operands.push(word);
      isOver ||= posixOrder.has(shape.name);
    } else if (word === '--') isOver = true;
    else {
      const { option, value } = readOption(shape, word);
      if (option?.argument === 'NODESET' && value !== undefined) where = value;
      if (option?.argument !== undefined && !option.argument.startsWith('[') && value === undefined) pending = option;
    }
  }
  return { operands, pending, isOver, where };
}

/** The last option of a word, and the value that the word holds for it. */
function readOption(shape: CommandShape, word: string): { option?: OptionSpec; value?: string } {
  if (word.startsWith('--')) {
    const [name = '', ...value] = word.slice(2).split('=');
    const option = findLong(shape, name);
    return option === undefined ? {} : { option, ...(value.length > 0 ? { value: value.join('=') } : {}) };
  }
  for (let at = 1; at < word.length; at++) {
    const option = shape.options.find(({ short }) => short === word[at]);
    if (option === undefined) return {};
    if (option.argument === undefined) continue;
    const value = word.slice(at + 1);
    return value === '' ? { option } : { option, value };
  }
  return {};
}

function findLong({ options }: CommandShape, name: string): OptionSpec | undefined {
  const begun = options.filter(({ long }) => long?.startsWith(name));
  return options.find(({ long }) => long === name) ?? (begun.length === 1 ? begun[0] : undefined);
}

function argumentsOf({ name }: CommandShape, { long, argument }: OptionSpec): readonly Want[] {
  return argument === undefined ? [] : argumentWants(name, long, argument);
}
