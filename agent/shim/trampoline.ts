/**
 * What is really started: a shell that knows its own PID, and so NSH_GPID, before it becomes the program by exec. It sets umask and
 * limits too. The program's argv is exactly what was asked for; its environment is that, and NSH_GPID.
 *
 * A shell does not pass every variable on as it is: dash drops names that are no identifiers (bash's exported functions), both set
 * PWD, IFS and others anew, bash adds SHLVL. Where such a name occurs, all values travel under names of ours and env(1) puts them back:
 * `env -i -S 'NAME=${NSH_E0} …'` reads values from its own environment, so that none of them is ever in an argv.
 *
 * Descriptor 3 tells of the exec: the shell keeps a close-on-exec copy of it while it runs exec, so that its end means "the program
 * runs"; a failure is written to it as `126` or `127`.
 */
import { NshError } from '../../src/protocol/errors.ts';
import { limitCommands, type Limits } from './resource-limits.ts';

export interface Shell {
  readonly kind: 'dash' | 'bash' | 'other';
  readonly path: string;
}

export interface TrampolineOptions {
  readonly argv: readonly string[];
  readonly environment: Readonly<Record<string, string>>;
  readonly gpidBase: number;
  readonly cwd: string;
  readonly umask?: number | undefined;
  readonly limits?: Limits | undefined;
  /** Directory of the control group that it moves into. */
  readonly cgroup?: string | undefined;
  /** Soft limit of open files where `limits` sets none. */
  readonly openFiles?: number | undefined;
  readonly shell: Shell;
  /** env(1) with -S (GNU ≥ 8.30); undefined where there is none: then variables with odd names are lost. */
  readonly envPath: string | undefined;
  /**
   * Where descriptor 3 has to be opened: a terminal's child has none but its terminal. Absent: it is there. The trampoline then also
   * reports its own stat line: the thread that reaps it may be faster than anybody who looks.
   */
  readonly reportPath?: string | undefined;
  /** Where stdin has to be opened that is not the terminal. */
  readonly inputPath?: string | undefined;
  /** The same for stdout. */
  readonly outputPath?: string | undefined;
  /** To be opened for reading and for writing: descriptors 3 and 4 of the program. Empty: not wanted. */
  readonly channelPaths?: readonly string[];
  /** Descriptors that must not reach the program: masters of other terminals. Needs bash: dash knows but one digit. */
  readonly close?: readonly number[];
}

export interface Trampoline {
  readonly file: string;
  readonly args: readonly string[];
  readonly env: Readonly<Record<string, string>>;
  /** The program runs only a moment after descriptor 3 has closed: env(1) comes between. */
  readonly throughEnv: boolean;
}

/** Names that a shell keeps or sets by its own mind. */
const shellNames =
  /^(?:IFS|OPTIND|OPTARG|PPID|LINENO|PS4|RANDOM|SECONDS|ENV|_|BASH.*|SHELLOPTS|POSIXLY_CORRECT|UID|EUID)$/;
const identifier = /^[A-Za-z_][A-Za-z0-9_]*$/;

export function buildTrampoline(options: TrampolineOptions): Trampoline {
  const { argv, environment, shell, envPath, cwd } = options;
  const command = argv[0] ?? '';
  // env takes a word with `=` for a variable.
  const mayUseEnv = envPath !== undefined && !command.includes('=');
  const throughEnv = mayUseEnv && (shell.kind !== 'dash' || !passesUnchanged(environment, cwd));
  const script = [
    // Before the report: with it the shim lets go of its own ends.
    ...openChannel(options.channelPaths),
    ...(options.inputPath === undefined ? [] : [`exec 0<${options.inputPath}`]),
    ...(options.outputPath === undefined ? [] : [`exec 1>${options.outputPath}`]),
    ...(options.reportPath === undefined
      ? []
      : [`exec 3>${options.reportPath}`, 'read -r s </proc/$$/stat', 'echo "s $s" >&3']),
    ...(options.close === undefined || options.close.length === 0
      ? []
      : [`exec ${options.close.map((fd) => `${fd}>&-`).join(' ')}`]),
    ...(options.cgroup === undefined ? [] : [guarded(`echo 0 >${quoteForShell(options.cgroup)}/cgroup.procs`)]),
    ...(options.umask === undefined ? [] : [guarded(`umask ${options.umask.toString(8)}`)]),
    // Where the hard limit is lower still, it is that.
    ...(options.openFiles === undefined ? [] : [`ulimit -S -n ${options.openFiles} 2>/dev/null`]),
    ...limitCommands(options.limits ?? {}, shell.kind).map(guarded),
    // bash and dash export PWD whether it was there or not.
    ...('PWD' in environment || throughEnv ? [] : ['unset PWD']),
    `export NSH_GPID=$((${options.gpidBase}+$$))`,
    ...(shell.kind === 'bash' ? [] : [`trap 'echo $? >&3' 0`]),
    ...(shell.kind === 'bash' ? ['shopt -s execfail'] : []),
    `{ exec "$@"; } ${hasChannel(options) ? '3<&4 4>&5 5>&-' : '3>&-'}`,
    // bash comes here after a failed exec; dash leaves, by way of its trap.
    's=$?',
    'echo $s >&3',
    'exit $s',
  ].join('\n');
  const hidden = throughEnv ? hideEnvironment(environment, envPath) : { env: environment, prefix: [] };
  return {
    file: shell.path,
    args: [...shellOptions(shell), '-c', script, 'nsh', ...hidden.prefix, ...argv],
    env: hidden.env,
    throughEnv,
  };
}

function hasChannel({ channelPaths }: TrampolineOptions): boolean {
  return channelPaths !== undefined && channelPaths.length > 0;
}

function openChannel([input, output]: readonly string[] = []): readonly string[] {
  return input === undefined || output === undefined ? [] : [`exec 4<${input} 5>${output}`];
}

/** A failure ends the trampoline with the message on its stderr, which is the process's and is read by whoever started it. */
function guarded(command: string): string {
  return `${command} || { echo 126 >&3; exit 126; }`;
}

function shellOptions(shell: Shell): readonly string[] {
  // -p: no functions from the environment, no BASH_ENV.
  return shell.kind === 'bash' ? ['--norc', '--noprofile', '-p'] : [];
}

function quoteForShell(text: string): string {
  return `'${text.replaceAll("'", String.raw`'\''`)}'`;
}

function passesUnchanged(environment: Readonly<Record<string, string>>, cwd: string): boolean {
  for (const name in environment) {
    if (!identifier.test(name) || shellNames.test(name)) return false;
  }
  return environment['PWD'] === undefined || environment['PWD'] === cwd;
}

function hideEnvironment(
  environment: Readonly<Record<string, string>>,
  envPath: string,
): { env: Record<string, string>; prefix: readonly string[] } {
  const env: Record<string, string> = {};
  const words: string[] = [];
  Object.entries(environment).forEach(([name, value], index) => {
    env[`NSH_E${index}`] = value;
    words.push(`${quoteForEnv(`${name}=`)}\${NSH_E${index}}`);
  });
  words.push('NSH_GPID=${NSH_GPID}');
  return { env, prefix: [envPath, '-i', '-S', words.join(' ')] };
}

/** Single quotes as `env -S` reads them: only `\\` and `\'` are special inside. */
function quoteForEnv(text: string): string {
  return `'${text.replace(/[\\']/g, (character) => `\\${character}`)}'`;
}

/**
 * Where execvp(3) would find `name`; the shell and env look there. Undefined: nowhere.
 * @param isProgram whether a path is a file that may run.
 */
export function findProgram(
  name: string,
  path: string | undefined,
  isProgram: (path: string) => boolean,
): string | undefined {
  if (name.includes('/')) return name;
  if (name === '' || path === undefined) return undefined;
  for (const directory of path.split(':')) {
    const file = directory === '' ? `./${name}` : `${directory}/${name}`;
    if (isProgram(file)) return file;
  }
  return undefined;
}

/** Turns what the trampoline reported into the error that `spawn` answers. */
export function execError(command: string, status: number, said: string): NshError {
  // `nsh: 12: exec: ls: not found`, `/bin/bash: line 3: /x: cannot execute: …`: the shell's own name and line tell a person nothing.
  const reason =
    said
      .trim()
      .split('\n')
      .at(-1)
      ?.replace(/^[^:]*: (?:line )?(?:\d+: )?(?:exec: )?/, '') ?? '';
  const message = reason === '' ? `${command} cannot be run` : reason;
  return new NshError(status === 127 ? 'commandNotFound' : 'commandNotExecutable', message);
}
