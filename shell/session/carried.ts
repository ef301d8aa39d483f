/** Which variables a session takes along, by name. The rules are DESIGN.md's ("One session, any node"). */

export type Carriage =
  /** Bash's own: read-only or made up anew at each reading. */
  | 'never'
  /** Belongs to the machine: kept for later lines on the node where it was set, and for no other. */
  | 'node'
  /** Can make programs load or run something: taken from the session's current node alone. */
  | 'fromCurrent'
  | 'always';

const bashOwn = new Set(
  `BASH BASHOPTS BASHPID COMP_WORDBREAKS DIRSTACK EPOCHREALTIME EPOCHSECONDS EUID FUNCNAME GROUPS HISTCMD HOSTTYPE LINENO MACHTYPE
   OSTYPE PIPESTATUS PPID PWD RANDOM SECONDS SHELLOPTS SHLVL SRANDOM UID _`.split(/\s+/),
);

const machineOwn = new Set(
  `HOME USER LOGNAME SHELL HOSTNAME MAIL TERM TERMINFO TERMCAP COLORTERM TERM_PROGRAM TERM_PROGRAM_VERSION COLUMNS LINES TTY
   DISPLAY WAYLAND_DISPLAY XAUTHORITY WINDOWID TMUX TMUX_PANE STY`.split(/\s+/),
);

export function carriageOf(name: string): Carriage {
  // The shell's own prompt; nothing else that nsh sets is a session's to change.
  if (name === 'NSH_PROMPT') return 'fromCurrent';
  if (bashOwn.has(name) || name.startsWith('NSH_')) return 'never';
  if (name === 'BASH_ENV' || name === 'PROMPT_COMMAND' || /^PS[0-4]$/.test(name) || name.startsWith('LD_'))
    return 'fromCurrent';
  if (name === 'BASH_COMPAT' || name === 'BASH_REMATCH') return 'always';
  if (name.startsWith('BASH_')) return 'never';
  if (machineOwn.has(name) || /^(?:SSH|XDG|DBUS)_/.test(name)) return 'node';
  return 'always';
}
