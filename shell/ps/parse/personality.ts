/**
 * $PS_PERSONALITY: whose ps this one is to be, as far as people still ask for it. Of procps's names those of standards (posix, unix, …)
 * are its default. Names of other systems' ps, whose formats are mostly columns that Linux does not have, are no error and change nothing.
 */
import type { FormatFlag } from './draft.ts';

export interface Personality {
  /** A dash before options makes no difference: all are BSD options. */
  readonly onlyBsd: boolean;
  /** `h` repeats the heading instead of leaving it out. */
  readonly repeatsHeading: boolean;
  /** BSD `m`: threads; the order of memory use; the old Linux memory format. */
  readonly meaningOfM: 'threads' | 'sort' | 'format';
  /** -f: USER instead of UID, which shows names anyway; -l: the processor instead of ADDR, which shows nothing. */
  readonly linux: boolean;
  /** -x is -y. */
  readonly xIsY: boolean;
  /** BSD formats of its own. */
  readonly formats: Readonly<Partial<Record<FormatFlag, string>>>;
}

const standard: Personality = {
  onlyBsd: false,
  repeatsHeading: false,
  meaningOfM: 'threads',
  linux: false,
  xIsY: false,
  formats: {},
};

const freeBsdFormats: Personality['formats'] = {
  'bsd-j': 'user,pid,ppid,pgid,sess,jobc,stat,tt,time,command',
  'bsd-l': 'uid,pid,ppid,cpu,pri,nice,vsz,rss,wchan,stat,tt,time,command',
  'bsd-u': 'user,pid,pcpu,pmem,vsz,rss,tt,stat,start,time,command',
  'bsd-v': 'pid,stat,time,sl,re,pagein,vsz,rss,lim,tsiz,pcpu,pmem,command',
};

const systemV: Personality = { ...standard, xIsY: true };
const personalities: Readonly<Record<string, Personality>> = {
  linux: { ...standard, linux: true },
  bsd: { ...standard, onlyBsd: true, repeatsHeading: true, meaningOfM: 'sort', formats: freeBsdFormats },
  old: { ...standard, onlyBsd: true, meaningOfM: 'format' },
  svr4: systemV,
  sysv: systemV,
  sco: systemV,
};

type Environment = Readonly<Record<string, string | undefined>>;

export function personalityOf(env: Environment): Personality {
  if (env['I_WANT_A_BROKEN_PS'] !== undefined) return personalities['old'] ?? standard;
  const name = env['PS_PERSONALITY'] || env['CMD_ENV'] || '';
  return Object.hasOwn(personalities, name.toLowerCase()) ? (personalities[name.toLowerCase()] ?? standard) : standard;
}
