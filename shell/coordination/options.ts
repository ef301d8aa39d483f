/** What the commands that take part in something have in common: their options, their statuses, and their operands. */
import { NshError } from '../../src/protocol/errors.ts';
import type { OptionSpec } from '../command.ts';
import { parseOptions, type ParsedOption } from '../getopt.ts';
import { parseDuration } from '../run/values.ts';

/** EX_TEMPFAIL of sysexits(3): it is taken, and `--try` does not wait. */
export const takenStatus = 75;
/** As timeout(1) has it. */
export const timedOutStatus = 124;

export const timeoutOption: OptionSpec = {
  short: 't',
  long: 'timeout',
  argument: 'DURATION',
  summary: `wait no longer than so long (30s, 5m), then end with status ${timedOutStatus}`,
};
export const tryOption: OptionSpec = {
  long: 'try',
  summary: `do not wait: where it is taken, end with status ${takenStatus}`,
};
export const ttlOption: OptionSpec = {
  long: 'ttl',
  argument: 'DURATION',
  summary: 'how long it stays taken after this node has died; default 15s, at least 3s',
};
export const numberOption: OptionSpec = {
  short: 'n',
  long: 'number',
  argument: 'N',
  summary: 'how many; all who name it say the same',
};
export const jsonOption: OptionSpec = { long: 'json', summary: 'as JSON' };

const defaultTtlSeconds = 15;
const minTtlSeconds = 3;
/** What a timer holds. */
const maxTimeoutMs = 2 ** 31 - 1;

export interface Patience {
  /** ms; 0 with `--try`. */
  readonly timeoutMs?: number;
}

export interface TakingOptions extends Patience {
  readonly name: string;
  readonly argv: readonly string[];
  readonly ttlSeconds: number;
  readonly given: Given;
}

/** The options of one line. */
export class Given {
  readonly #options: readonly ParsedOption[];

  constructor(options: readonly ParsedOption[]) {
    this.#options = options;
  }

  has(option: OptionSpec): boolean {
    return this.#options.some((each) => each.option === option);
  }

  value(option: OptionSpec): string | undefined {
    return this.#options.findLast((each) => each.option === option)?.value;
  }

  /** @throws NshError `usage` */
  patience(): Patience {
    if (this.has(tryOption)) return { timeoutMs: 0 };
    const text = this.value(timeoutOption);
    if (text === undefined) return {};
    const timeoutMs = parseDuration(text, '--timeout');
    if (timeoutMs > maxTimeoutMs)
      throw new NshError('usage', `--timeout ${text}: 24d is the most; without it there is no end`);
    return { timeoutMs };
  }

  /** @throws NshError `usage` */
  ttlSeconds(): number {
    const text = this.value(ttlOption);
    const seconds = text === undefined ? defaultTtlSeconds : parseDuration(text, '--ttl') / 1000;
    if (Number.isInteger(seconds) && seconds >= minTtlSeconds) return seconds;
    throw new NshError('usage', `--ttl ${text ?? ''}: it takes whole seconds, ${minTtlSeconds}s at least`);
  }
}

/** `[OPTION…] NAME [--] COMMAND [ARGUMENT…]`: what follows the name is another command's. @throws NshError `usage` */
export function parseTaking(specs: readonly OptionSpec[], args: readonly string[], what: string): TakingOptions {
  const { options, operands } = parseOptions(specs, args, 'posix');
  const [name, ...rest] = operands;
  const argv = rest[0] === '--' ? rest.slice(1) : rest;
  if (name === undefined) throw new NshError('usage', `no ${what} is named`);
  if (argv.length === 0) throw new NshError('usage', `no command to run under ${what} '${name}' is given`);
  const given = new Given(options);
  return { name, argv, given, ttlSeconds: given.ttlSeconds(), ...given.patience() };
}
