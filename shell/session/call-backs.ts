/**
 * What lets a bash call nsh back: functions that run the `nsh` program, defined for one step and never part of the session. For a nodeset word the program also gets the
 * state of the bash that calls, so that variables, functions and the directory go along; only output and status come back.
 */
import type { ByteText } from '../language/byte-text.ts';
import { printState } from './driver.ts';
import { quoteWord } from './quote.ts';
import type { ShellFunction } from './snapshot.ts';

/** The words that start nsh: `['/usr/bin/node', '/opt/nsh/dist/nsh.js']`. */
export type CallBackProgram = readonly [string, ...string[]];

/** Holds the descriptor that the state is read from. */
export const callBackVariable = 'NSH_CALLED_BACK';

const handler = 'command_not_found_handle';
const descriptor = 251;

/** Before each word a blank: a cluster PID or its negative (eight digits and more), or NODE.PID. No word of bash's own looks so. */
const clusterPid = `*' '[0-9]@*|*' '-[0-9]@*|*' '[A-Za-z0-9]*.[0-9]*`.replaceAll('@', '[0-9]'.repeat(7));

/**
 * @param program undefined: on a node, where nsh is on the PATH or not there at all; then a builtin's name is that of the node's own program.
 * @param nodesets `@` words occur.
 * @param guarded names of bash's own: nsh's where a cluster PID is among the words.
 */
export function renderCallBacks(
  program: CallBackProgram | undefined,
  nodesets: boolean,
  builtins: ReadonlySet<string>,
  guarded: ReadonlySet<string> = new Set(),
): { readonly text: ByteText; readonly names: ReadonlySet<string> } {
  const start = program?.map(quoteWord).join(' ') ?? '\\command nsh';
  const lines = [...builtins, ...guarded].map((name) => {
    const call = `${callBackVariable}= ${start} ${name} "$@"`;
    const own =
      program === undefined
        ? `if \\builtin type -P nsh >/dev/null; then ${call}; else \\builtin command ${name} "$@"; fi`
        : call;
    if (!guarded.has(name)) return `${name} () { ${own}; }`;
    return `${name} () { case "\${*/#/ }" in ${clusterPid}) ${own} ;; *) \\builtin ${name} "$@" ;; esac; }`;
  });
  const names = new Set([...builtins, ...guarded]);
  if (nodesets) {
    const call = `${callBackVariable}=${descriptor} ${start} "$@" ${descriptor}< <(${printState})`;
    // Bash's own words, with the line of the command rather than of this function.
    const say = `\\builtin printf '%s: line %s: %s: command not found\\n' "$0" "\${BASH_LINENO[0]}" "$1" >&2`;
    lines.push(`${handler} () { case $1 in @*) ${call} ;; *) ${say}; \\builtin return 127 ;; esac; }`);
    names.add(handler);
  }
  return { text: lines.join('\n'), names };
}

/** One of the functions above, in a state that a call brought. */
export function isCallBack(name: string, { text }: ShellFunction): boolean {
  return name === handler || text.includes(`${callBackVariable}=`);
}
