/** Resource limits by `ulimit` letter, as bash counts them (units of bash(1)), in the words of the shell that the trampoline is. */
export type Limits = Readonly<Record<string, number | 'unlimited'>>;

/** Letters that dash and bash both know, with the factor from bash's unit to dash's: dash counts -c and -f in blocks of 512 bytes. */
const dashFactors: Readonly<Record<string, number>> = { t: 1, f: 2, d: 1, s: 1, c: 2, m: 1, l: 1, n: 1, v: 1 };

/** The others go by prlimit(1), with the factor from bash's unit to that of setrlimit(2). */
const prlimitNames: Readonly<Record<string, readonly [string, number]>> = {
  u: ['nproc', 1],
  i: ['sigpending', 1],
  q: ['msgqueue', 1],
  x: ['locks', 1],
  e: ['nice', 1],
  r: ['rtprio', 1],
};

/** One command for each limit; each fails with a message where the limit cannot be set. */
export function limitCommands(limits: Limits, shell: 'dash' | 'bash' | 'other'): string[] {
  return Object.entries(limits).map(([letter, value]) => limitCommand(letter, value, shell));
}

function limitCommand(letter: string, value: number | 'unlimited', shell: 'dash' | 'bash' | 'other'): string {
  if (shell === 'bash') return `ulimit -${letter} ${format(value, 1)}`;
  const factor = dashFactors[letter];
  if (factor !== undefined) return `ulimit -${letter} ${format(value, factor)}`;
  const named = prlimitNames[letter];
  if (named === undefined) return `{ echo "ulimit: -${letter}: unknown limit" >&2; false; }`;
  return `prlimit --pid $$ --${named[0]}=${format(value, named[1])}`;
}

function format(value: number | 'unlimited', factor: number): string {
  return value === 'unlimited' ? value : String(Math.trunc(value) * factor);
}
