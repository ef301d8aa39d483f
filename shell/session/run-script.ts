/**
 * `nsh -c LINE [ARG…]`, `nsh FILE [ARG…]` and `… | nsh`. A script in which nothing is nsh's is bash's altogether: the program bash runs it, with these very arguments.
 * Else a session does, step by step.
 */
import { closeSync, openSync, readFileSync, readSync } from 'node:fs';
import { NshError } from '../../src/protocol/errors.ts';
import { processContext, type OwnedContext } from '../context.ts';
import { noteInterrupt } from '../end-status.ts';
import { escapeLines } from '../escape.ts';
import { type ByteText, toByteText } from '../language/byte-text.ts';
import { findCallBacks, hasCommandWord } from '../language/call-back.ts';
import { cutScript } from '../language/cut.ts';
import type { Surroundings } from '../language/nsh-words.ts';
import { readScript } from '../language/script-tree.ts';
import { type Beginning, beginningOfCaller } from './caller.ts';
import { type CallBackProgram, callBackVariable } from './call-backs.ts';
import { commandBuiltins } from './command-builtins.ts';
import { startFedBash } from './fed-bash.ts';
import { FedScript, type StartFedBash } from './fed-script.ts';
import { localRunner } from './local-runner.ts';
import { moveName } from './move.ts';
import { relaySignals, runBashProgram, withOwnProgram } from './program.ts';
import { quoteWord } from './quote.ts';
import type { NodeRunners } from './runner.ts';
import { lookAhead, readCommands } from './script-input.ts';
import { Session } from './session.ts';
import { builtinSummaries } from '../commands/index.ts';

export interface ScriptOptions {
  /** FILE of `--cluster FILE`. */
  readonly cluster: string | undefined;
  /** Finds nodes; absent where none can be reached. */
  readonly nodes?: NodeRunners;
  /** What a fresh bash is started with; default: as this process was. */
  readonly begins?: Beginning;
}

/** `nsh -c LINE [NAME [ARG…]]` @returns the exit status. */
export async function runLine(line: string, args: readonly string[], options: ScriptOptions): Promise<number> {
  const text = toByteText(line);
  if (isBashOnly(text)) return await runBashProgram(['-c', line, ...args]);
  const [name = 'bash', ...positional] = args;
  return await runText(text, name, positional, options);
}

/** `nsh FILE [ARG…]` @throws NshError where the file cannot be read. */
export async function runFile(path: string, args: readonly string[], options: ScriptOptions): Promise<number> {
  let text: ByteText;
  try {
    text = readFileSync(path, 'latin1');
  } catch (error) {
    const missing = (error as NodeJS.ErrnoException).code === 'ENOENT';
    const message = `${path}: ${missing ? 'no such file' : 'cannot be read'}`;
    throw new NshError(missing ? 'commandNotFound' : 'commandNotExecutable', message, { cause: error });
  }
  // Bash reads what it finds there itself, and finds its name in $0 and BASH_SOURCE.
  if (isBashOnly(text)) return await runBashProgram([path, ...args]);
  return await runText(text, path, args, options);
}

/** `nsh @NODESET COMMAND [ARGUMENT…]`, and what a bash calls back: the words are expanded already. */
export async function runWords(where: string, args: readonly string[], options: ScriptOptions): Promise<number> {
  const words = args.map((word) => quoteWord(toByteText(word)));
  const text = [toByteText(where), ...words].join(' ');
  const descriptor = process.env[callBackVariable] ?? '';
  const isCalled = /^\d+$/.test(descriptor);
  const begins = isCalled ? { ...options, begins: beginningOfCaller() } : options;
  return await withSession('bash', [], begins, async (session) => {
    if (isCalled) await session.adopt(readFileSync(Number(descriptor), 'latin1'));
    await session.run(text, true);
    return await session.close();
  });
}

/** `… | nsh`, `nsh -s [ARG…]` */
export async function runInput(args: readonly string[], options: ScriptOptions): Promise<number> {
  const ahead = lookAhead(0);
  if (ahead !== undefined && isBashOnly(ahead)) return await runBashProgram(['-s', '--', ...args]);
  return await withSession('bash', args, { ...options, inputIsScript: true }, async (session) => {
    if (await readStartFile(session)) return await session.close();
    const start: StartFedBash = async (restore) =>
      await startFedBash({ env: withOwnProgram(), cwd: process.cwd(), name: 'bash', restore });
    const script = new FedScript(session, start);
    for (let text = await readCommands(0); text !== ''; text = await readCommands(0)) {
      if ((await script.run(text)).isOver) break;
    }
    return await script.close();
  });
}

/** Nothing in the script, at whatever depth, is nsh's. */
export function isBashOnly(text: ByteText): boolean {
  const around = scriptSurroundings('bash');
  const script = readScript(text);
  if (script.fault !== undefined) return !hasCommandWord(text, around.builtins);
  const found = findCallBacks(script.text, around, script.tree);
  return !found.nodesets && found.builtins.length === 0;
}

function scriptSurroundings(jobsAre: 'nsh' | 'bash'): Surroundings {
  return {
    builtins: new Set([...builtinSummaries.map(([name]) => name), moveName]),
    isDefined: () => false,
    hasJobs: false,
    jobsAre,
  };
}

async function runText(
  text: ByteText,
  name: string,
  positional: readonly string[],
  options: ScriptOptions,
): Promise<number> {
  const script = readScript(text);
  // Where only bash's own commands are called back from, one bash runs it all, and keeps its own jobs.
  const isCut =
    script.fault === undefined &&
    cutScript(script.text, scriptSurroundings('bash'), script.tree).some(({ kind }) => kind !== 'bash');
  return await withSession(
    name,
    positional,
    options,
    async (session) => {
      if (!(await readStartFile(session))) await session.run(text, true);
      return await session.close();
    },
    isCut ? 'nsh' : 'bash',
  );
}

/** What $BASH_ENV names bash reads once, before a script (bash(1), Invocation); the bashes of a session do not. @returns whether it ended the shell. */
async function readStartFile(session: Session): Promise<boolean> {
  const file = toByteText(process.env['BASH_ENV'] ?? '');
  if (file === '') return false;
  // Its value is expanded, and taken for a path as it is.
  const path = `"${file.replaceAll('"', '\\"')}"`;
  const read = `export BASH_ENV=${quoteWord(file)}; [[ ! -f ${path} ]] || \\builtin . ${path}`;
  const { isOver } = await session.run(read);
  session.line = 0;
  return isOver;
}

async function withSession(
  name: string,
  positional: readonly string[],
  { cluster, nodes, begins, inputIsScript = false }: ScriptOptions & { readonly inputIsScript?: boolean },
  run: (session: Session) => Promise<number>,
  jobsAre: 'nsh' | 'bash' = 'nsh',
): Promise<number> {
  const context = processContext(cluster);
  const session = new Session({
    runner: localRunner(begins ?? { env: withOwnProgram(), cwd: process.cwd() }),
    nodes: nodes ?? nodesOf(context),
    builtins: commandBuiltins(context),
    name,
    positional: positional.map(toByteText),
    streams: { stdin: 'inherit', stdout: 'inherit', stderr: 'inherit' },
    callBack: ownProgram(),
    tell: (message) => {
      process.stderr.write(`nsh: ${escapeLines(message)}\n`);
    },
    jobsAre,
    inputIsScript,
  });
  const release = relaySignals((signal) => {
    if (signal === 'SIGINT') noteInterrupt();
    if (signal === 'SIGINT' || signal === 'SIGQUIT') session.interrupt(signal.slice(3));
    else session.kill(signal.slice(3));
  });
  try {
    return await run(session);
  } finally {
    release();
    context.close();
  }
}

/** The cluster's, loaded when the first node is named. */
function nodesOf(context: OwnedContext): NodeRunners {
  let runners: NodeRunners | undefined;
  return {
    async resolve(where) {
      const { clusterRunners } = await import('./cluster-runners.ts');
      const { colour } = context.terminal;
      runners ??= clusterRunners({
        cluster: () => context.cluster(),
        env: context.env,
        signal: context.signal,
        colour: (stream) => colour && context[stream].isTTY === true,
        tell: (message) => void context.stderr.write(`nsh: ${escapeLines(message)}\n`),
      });
      return await runners.resolve(where);
    },
    labelled: (target, runner, stream) => runners?.labelled?.(target, runner, stream) ?? target,
    folded: (target, all) => runners?.folded?.(target, all),
  };
}

/** What starts this very program again. */
function ownProgram(): CallBackProgram {
  return [process.execPath, ...process.execArgv, process.argv[1] ?? 'nsh'];
}

/** The file begins like a script or at least like text; a program is the kernel's to run. */
export function looksLikeScript(path: string): boolean {
  const head = Buffer.alloc(256);
  let fd: number;
  try {
    fd = openSync(path, 'r');
  } catch {
    // Not there, or not ours to read.
    return false;
  }
  try {
    const length = readSync(fd, head, 0, head.length, 0);
    return !head.subarray(0, length).includes(0);
  } catch {
    // A directory.
    return false;
  } finally {
    closeSync(fd);
  }
}
