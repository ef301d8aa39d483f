#!/usr/bin/env node
/** The `nsh` command: `nsh [--cluster FILE] COMMAND [ARGUMENT…]`. Loads only the command that runs. */
import { quoteText } from '../src/ids/quote-text.ts';
import { NshError, toNshError } from '../src/protocol/errors.ts';
import { programVersion } from '../src/protocol/version.ts';
import { loadCommand, nearCommands, summaries } from './commands/index.ts';
import type { Command } from './command.ts';
import { endWith } from './end-status.ts';
import { processContext } from './context.ts';
import { escapeLines } from './escape.ts';
import { refuseForeignArguments } from './foreign-bytes.ts';
import { endOnWriteErrors } from './output/write-errors.ts';
import { checkStreamTimeout, streamTimeoutVariable } from './session/stream-timeout.ts';
import { signalStatus } from './signal-status.ts';
import { helpHint } from './usage.ts';

interface Invocation {
  readonly cluster: string | undefined;
  readonly name: string | undefined;
  readonly args: readonly string[];
  /** The LINE of `-c LINE`; the arguments are bash's. */
  readonly line?: string;
  /** `-s`: commands come by standard input, and the arguments are theirs. */
  readonly isInput?: boolean;
}

/** Options before the name of the command. @throws NshError `usage` */
function readInvocation(argv: readonly string[]): Invocation {
  let cluster: string | undefined;
  for (let i = 0; i < argv.length; i++) {
    const word = argv[i] ?? '';
    if (word === '--cluster') cluster = argv[++i];
    else if (word.startsWith('--cluster=')) cluster = word.slice('--cluster='.length);
    else if (word === '--stream-timeout' || word.startsWith('--stream-timeout=')) {
      const given = word.includes('=') ? word.slice(word.indexOf('=') + 1) : (argv[++i] ?? '');
      process.env[streamTimeoutVariable] = checkStreamTimeout(given);
      continue;
    } else if (word === '-c') return readLine(cluster, argv.slice(i + 1));
    else if (word === '-s') return readInput(cluster, argv.slice(i + 1));
    else if (word === '--version') return { cluster, name: 'version', args: [] };
    else if (word === '--help' || word === '-h') return { cluster, name: 'help', args: [] };
    else if (word.startsWith('-')) throw new NshError('usage', `unrecognized option ${quoteText(word)}`);
    else return { cluster, name: word, args: argv.slice(i + 1) };
    if (cluster === undefined) throw new NshError('usage', "option '--cluster' requires an argument");
  }
  return { cluster, name: undefined, args: [] };
}

function readLine(cluster: string | undefined, [line, ...args]: readonly string[]): Invocation {
  if (line === undefined) throw new NshError('usage', "option '-c' requires an argument");
  return { cluster, name: undefined, args, line };
}

function readInput(cluster: string | undefined, args: readonly string[]): Invocation {
  return { cluster, name: undefined, args: args[0] === '--' ? args.slice(1) : args, isInput: true };
}

/** `--help` among the options; behind `--` or a command of its own it is that command's. */
function asksForHelp(args: readonly string[]): boolean {
  const end = args.findIndex((word) => word === '--' || !word.startsWith('-'));
  return (end === -1 ? args : args.slice(0, end)).includes('--help');
}

async function usage(): Promise<string> {
  const { renderCommandList } = await import('./command-list.ts');
  return [
    'usage: nsh [--cluster FILE]                         an interactive shell',
    '       nsh [--cluster FILE] COMMAND [ARGUMENT…]     one of the commands below',
    '       nsh [--cluster FILE] @NODESET WORD…          a command line of bash, there',
    '       nsh [--cluster FILE] -c LINE [ARGUMENT…]     lines of the shell',
    '       nsh [--cluster FILE] FILE [ARGUMENT…]        a script of them',
    '',
    renderCommandList(summaries, process.stdout.isTTY ? process.stdout.columns : undefined),
    "'nsh COMMAND --help' tells more; 'nsh man nsh' tells all.",
    '',
  ].join('\n');
}

async function main(argv: readonly string[]): Promise<number> {
  refuseForeignArguments(argv);
  const { cluster, name, args, line, isInput = false } = readInvocation(argv);
  if (line !== undefined) return await (await import('./session/run-script.ts')).runLine(line, args, { cluster });
  if (name === 'version') return print(`nsh ${programVersion}\n`);
  if (name === 'help' && args[0] === undefined) return print(await usage());
  if (name === undefined) {
    if (isInput) return await (await import('./session/run-script.ts')).runInput(args, { cluster });
    if (process.stdin.isTTY && process.stdout.isTTY && process.env['TERM'] !== 'dumb') {
      const { runInteractive } = await import('./interactive/index.ts');
      return await runInteractive(cluster);
    }
    if (!process.stdin.isTTY) return await (await import('./session/run-script.ts')).runInput([], { cluster });
    process.stderr.write(await usage());
    return 2;
  }
  if (name === 'help' && args.length === 1) {
    const asked = await loadCommand(args[0] ?? '');
    if (asked !== undefined) return await printHelp(asked);
  }
  const command = name === '__complete' ? await loadCompletion() : await loadCommand(name);
  if (command === undefined) {
    const script = await import('./session/run-script.ts');
    if (name.startsWith('@')) return await script.runWords(name, args, { cluster });
    if (script.looksLikeScript(name)) return await script.runFile(name, args, { cluster });
    const { findSessionCommand } = await import('./commands/session-commands.ts');
    if (findSessionCommand(name) !== undefined)
      throw new NshError(
        'usage',
        `${name} is of a session alone, and stands on a line of its own there; 'nsh' opens one`,
      );
    throw new NshError('usage', `${quoteText(name)}: no such command${nearCommands(name)}`);
  }
  if (asksForHelp(args)) return await printHelp(command);
  const context = processContext(cluster);
  try {
    return await command.run(context, args);
  } catch (error) {
    const known = toNshError(error);
    return known.data?.['help'] === true ? await printHelp(command) : fail(known, command.name);
  } finally {
    context.close();
  }
}

/** Not one of the commands: what the completion scripts of other shells run. */
async function loadCompletion(): Promise<Command> {
  return (await import('./completion/one-shot.ts')).completeCommand;
}

/** Says why, and answers the status; what a signal broke off ends as by that signal. */
function fail(error: NshError, command?: string): number {
  const broken = signalStatus(error);
  if (broken !== undefined) return broken;
  process.stderr.write(`nsh${command === undefined ? '' : ` ${command}`}: ${escapeLines(error.message)}\n`);
  if (error.code === 'usage') process.stderr.write(`${helpHint(command)}\n`);
  if (error.code === 'internal') process.stderr.write(`${escapeLines(error.stack ?? '')}\n`);
  return error.exitStatus;
}

async function printHelp(command: Command): Promise<number> {
  const { renderHelp } = await import('./help.ts');
  return print(renderHelp(command, process.stdout.isTTY ? process.stdout.columns : undefined));
}

function print(text: string): number {
  process.stdout.write(text);
  return 0;
}

endOnWriteErrors(process);

main(process.argv.slice(2)).then(endWith, (error: unknown) => endWith(fail(toNshError(error))));
