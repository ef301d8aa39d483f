/**
 * Options as getopt_long(3) reads them, driven by the tables of the commands: bundled short options, `-nVALUE`, `--long=VALUE`,
 * unambiguous abbreviations, `--`. Messages are GNU's.
 */
import { quoteText } from '../src/ids/quote-text.ts';
import { NshError } from '../src/protocol/errors.ts';
import type { OptionSpec } from './command.ts';

export { renderHelp } from './help.ts';

export interface ParsedOption {
  /** The very object of the table. */
  readonly option: OptionSpec;
  /** Present where the option takes an argument and, where that is optional, one was given. */
  readonly value?: string;
}

export interface ParsedOperand {
  readonly operand: string;
  readonly option?: undefined;
}

export interface ParsedArguments {
  readonly options: readonly ParsedOption[];
  readonly operands: readonly string[];
  /** Both, in the order in which they were typed: for commands where an option acts on the operands before it. */
  readonly items: readonly (ParsedOption | ParsedOperand)[];
}

/** `permute`: options may follow operands. `posix`: the first operand ends the options; what follows is another command's. */
export type OptionOrder = 'permute' | 'posix';

/** @throws NshError `usage` */
export function parseOptions(
  specs: readonly OptionSpec[],
  args: readonly string[],
  order: OptionOrder = 'permute',
): ParsedArguments {
  const items: (ParsedOption | ParsedOperand)[] = [];
  const rest = [...args];
  for (let word = rest.shift(); word !== undefined; word = rest.shift()) {
    if (word === '--') break;
    if (word.startsWith('--')) {
      items.push(readLong(specs, word.slice(2), rest));
    } else if (word.startsWith('-') && word !== '-') {
      items.push(...readShort(specs, word.slice(1), rest));
    } else {
      items.push({ operand: word });
      if (order === 'posix') break;
    }
  }
  items.push(...rest.map((operand) => ({ operand })));
  return {
    items,
    options: items.filter((item) => item.option !== undefined),
    operands: items.flatMap((item) => (item.option === undefined ? [item.operand] : [])),
  };
}

/** An argument that may be left out is written in brackets in the table, as in help texts: `[WHEN]`. */
function isOptional(option: OptionSpec): boolean {
  return option.argument?.startsWith('[') === true;
}

function readLong(specs: readonly OptionSpec[], text: string, rest: string[]): ParsedOption {
  const equals = text.indexOf('=');
  const name = equals < 0 ? text : text.slice(0, equals);
  const given = equals < 0 ? undefined : text.slice(equals + 1);
  const option = findLong(specs, name, text);
  if (option.argument === undefined) {
    if (given !== undefined) throw usage(`option '--${option.long}' doesn't allow an argument`);
    return { option };
  }
  if (given !== undefined) return { option, value: given };
  if (isOptional(option)) return { option };
  const next = rest.shift();
  if (next === undefined) throw usage(`option '--${option.long}' requires an argument`);
  return { option, value: next };
}

/** @param text what was typed, value and all: messages repeat it. */
function findLong(specs: readonly OptionSpec[], name: string, text: string): OptionSpec {
  const exact = specs.find((spec) => spec.long === name);
  if (exact !== undefined) return exact;
  const candidates = specs.filter((spec) => spec.long?.startsWith(name));
  const [only] = candidates;
  // Also where it stands behind an option's argument: whoever prints the error prints the help instead.
  if (only === undefined && text === 'help')
    throw new NshError('usage', "unrecognized option '--help'", { data: { help: true } });
  if (only === undefined) throw usage(`unrecognized option ${quoteText(`--${text}`)}`);
  if (candidates.length === 1) return only;
  const possible = candidates.map((spec) => `'--${spec.long}'`).join(' ');
  throw usage(`option ${quoteText(`--${text}`)} is ambiguous; possibilities: ${possible}`);
}

/** One word of short options: `-xvf FILE`, `-nVALUE`. */
function readShort(specs: readonly OptionSpec[], letters: string, rest: string[]): ParsedOption[] {
  const options: ParsedOption[] = [];
  for (let at = 0; at < letters.length; ) {
    const letter = String.fromCodePoint(letters.codePointAt(at) ?? 0);
    at += letter.length;
    const option = specs.find((spec) => spec.short === letter);
    if (option === undefined) throw usage(`invalid option -- ${quoteText(letter)}`);
    if (option.argument === undefined) {
      options.push({ option });
      continue;
    }
    const attached = letters.slice(at);
    if (attached !== '') return [...options, { option, value: attached }];
    if (isOptional(option)) return [...options, { option }];
    const next = rest.shift();
    if (next === undefined) throw usage(`option requires an argument -- '${letter}'`);
    return [...options, { option, value: next }];
  }
  return options;
}

function usage(message: string): NshError {
  return new NshError('usage', message);
}
