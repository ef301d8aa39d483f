/** `jobs`, `wait`, `kill`, `disown`, `fg` and `bg` for the jobs of a session; what is no job goes on to nsh's own builtin of that name. */
import { constants } from 'node:os';
import { findSignal, parseSignal } from '../../src/ids/signals.ts';
import { fromByteText } from '../language/byte-text.ts';
import type { BuiltinStreams, SessionBuiltins } from './builtins.ts';
import type { Job, JobTable } from './jobs.ts';

const interruptedStatus = 128 + constants.signals.SIGINT;

type Run = (args: readonly string[], streams: BuiltinStreams, signal: AbortSignal) => Promise<number> | undefined;

/** @param base runs what concerns no job of the session. */
export function jobBuiltins(table: JobTable, base: SessionBuiltins): SessionBuiltins {
  const own: Readonly<Record<string, Run>> = {
    jobs: (args, streams) => (args.some((word) => word.startsWith('--')) ? undefined : listJobs(table, args, streams)),
    wait: (args, streams, signal) => waitFor(table, args, streams, signal, base.names.has('wait')),
    kill: (args, streams) => killJobs(table, args, streams, base.names.has('kill')),
    disown: (args, streams) => disown(table, args, streams),
    fg: (args, streams) => bringForth(table, args, streams, base.names.has('fg')),
    bg: (args, streams) => sendBack(table, args, streams),
  };
  return {
    names: new Set([...base.names, ...Object.keys(own)]),
    run: async (name, args, streams, around) => {
      const mine = own[name]?.(args, streams, around.signal);
      return mine === undefined ? await base.run(name, args, streams, around) : await mine;
    },
  };
}

/** As bash says it. */
function noSuchJob(table: JobTable, builtin: string, word: string): string {
  if (table.isAmbiguous(word)) return `bash: ${builtin}: ${word.slice(1)}: ambiguous job spec\n`;
  return `bash: ${builtin}: ${word}: no such job\n`;
}

async function listJobs(table: JobTable, args: readonly string[], { stdout, stderr }: BuiltinStreams): Promise<number> {
  const flags = args.filter((word) => word.startsWith('-')).join('');
  const words = args.filter((word) => !word.startsWith('-'));
  const found = words.length === 0 ? table.all : words.map((word) => findJob(table, word) ?? table.find(`%${word}`));
  for (const [i, job] of found.entries()) {
    if (job === undefined) {
      stderr.write(noSuchJob(table, 'jobs', words[i] ?? ''));
      continue;
    }
    const done = job.status !== undefined;
    if (flags.includes('p')) stdout.write(`${job.id}\n`);
    else stdout.write(`${describeJob(table, job, flags.includes('l'))}\n`);
    if (done) table.remove(job);
  }
  return Promise.resolve(found.some((job) => job === undefined) ? 1 : 0);
}

/** `[1]+  Running                 sleep 5 &`, as bash has it. */
export function describeJob(table: JobTable, job: Job, withId = false): string {
  const id = withId ? `${job.id} ` : ' ';
  const state = (job.isStopped ? 'Stopped' : describeStatus(job.status)).padEnd(24);
  const end = job.status === undefined && !job.isStopped ? ' &' : '';
  return `[${job.number}]${table.markOf(job)} ${id}${state}${fromByteText(job.text).trimEnd()}${end}`;
}

function describeStatus(status: number | undefined): string {
  if (status === undefined) return 'Running';
  if (status === 0) return 'Done';
  const signal = Object.entries(constants.signals).find(([, number]) => number === status - 128)?.[0];
  if (signal === undefined) return `Exit ${status}`;
  return signalTexts[signal] ?? signal;
}

const signalTexts: Readonly<Record<string, string>> = {
  SIGTERM: 'Terminated',
  SIGKILL: 'Killed',
  SIGINT: 'Interrupt',
  SIGHUP: 'Hangup',
};

/** Undefined: none of it is a job. */
function waitFor(
  table: JobTable,
  args: readonly string[],
  { stderr }: BuiltinStreams,
  signal: AbortSignal,
  hasBase: boolean,
): Promise<number> | undefined {
  const operands = args.filter((word) => !word.startsWith('-'));
  if (args.includes('-n')) return waitNext(table, operands, signal);
  if (operands.length === 0) return waitAll(table, signal);
  const isMine = (word: string): boolean =>
    word.startsWith('%') || table.findId(Number(word)) !== undefined || table.statusOfGone(Number(word)) !== undefined;
  if (hasBase && !operands.some(isMine)) return undefined;
  return waitEach(table, operands, stderr, signal);
}

/** Undefined: Ctrl-C has ended the waiting, and not what is waited for. */
async function untilBrokenOff<T>(ended: Promise<T>, signal: AbortSignal): Promise<T | undefined> {
  if (signal.aborted) return undefined;
  let stop = (): void => {};
  const brokenOff = new Promise<undefined>((resolve) => {
    stop = () => resolve(undefined);
  });
  signal.addEventListener('abort', stop, { once: true });
  return await Promise.race([ended, brokenOff]).finally(() => signal.removeEventListener('abort', stop));
}

async function waitAll(table: JobTable, signal: AbortSignal): Promise<number> {
  for (const job of table.all) {
    if ((await untilBrokenOff(job.ended, signal)) === undefined) return interruptedStatus;
    table.remove(job);
  }
  return 0;
}

async function waitNext(table: JobTable, operands: readonly string[], signal: AbortSignal): Promise<number> {
  const jobs = operands.length === 0 ? table.all : operands.flatMap((word) => findJob(table, word) ?? []);
  if (jobs.length === 0) return 127;
  const job = await untilBrokenOff(Promise.race(jobs.map(async (each) => (await each.ended, each))), signal);
  if (job === undefined) return interruptedStatus;
  table.remove(job);
  return job.status ?? 127;
}

async function waitEach(
  table: JobTable,
  operands: readonly string[],
  stderr: BuiltinStreams['stderr'],
  signal: AbortSignal,
): Promise<number> {
  let status = 0;
  for (const word of operands) {
    const job = findJob(table, word);
    const gone = table.statusOfGone(Number(word));
    if (job !== undefined) {
      const ended = await untilBrokenOff(job.ended, signal);
      if (ended === undefined) return interruptedStatus;
      status = ended;
      table.remove(job);
    } else if (gone === undefined) {
      const isJob = word.startsWith('%');
      stderr.write(
        isJob ? `bash: wait: ${word}: no such job\n` : `bash: wait: pid ${word} is not a child of this shell\n`,
      );
      status = 127;
    } else {
      status = gone;
    }
  }
  return status;
}

function findJob(table: JobTable, word: string): Job | undefined {
  return word.startsWith('%') ? table.find(word) : table.findId(Number(word));
}

/** Undefined: there is something else to signal. */
function killJobs(
  table: JobTable,
  args: readonly string[],
  { stderr }: BuiltinStreams,
  hasBase: boolean,
): Promise<number> | undefined {
  const query = readKill(args);
  if (query === undefined) return undefined;
  const isMine = (word: string): boolean => word.startsWith('%') || table.findId(Number(word)) !== undefined;
  if (hasBase && !query.targets.every(isMine)) return undefined;
  let status = 0;
  for (const word of query.targets) {
    const job = findJob(table, word);
    if (job === undefined) {
      stderr.write(noSuchJob(table, 'kill', word));
      status = 1;
    } else if (job.status === undefined) {
      job.kill(query.signal);
    }
  }
  return Promise.resolve(status);
}

/** `-9`, `-TERM`, `-s TERM`, `-n 9`; undefined for any other form. */
function readKill(args: readonly string[]): { signal: string; targets: readonly string[] } | undefined {
  const [first = '', second = '', ...rest] = args;
  const named = /^-[sn]$/.test(first) ? second : first.startsWith('-') && first !== '--' ? first.slice(1) : undefined;
  const targets =
    named === undefined ? args.filter((word) => word !== '--') : /^-[sn]$/.test(first) ? rest : args.slice(1);
  if (targets.length === 0 || targets.some((word) => word.startsWith('-'))) return undefined;
  try {
    const number = parseSignal(named ?? 'TERM');
    const name = Object.entries(constants.signals).find(([, each]) => each === number)?.[0];
    return name === undefined || findSignal(name) === undefined ? undefined : { signal: name.slice(3), targets };
  } catch {
    // No signal: the builtin says so.
    return undefined;
  }
}

async function disown(table: JobTable, args: readonly string[], { stderr }: BuiltinStreams): Promise<number> {
  const operands = args.filter((word) => !word.startsWith('-'));
  const all = args.some((word) => /^-[a-z]*a/.test(word));
  let status = 0;
  for (const word of all ? table.all.map(({ number }) => `%${number}`) : operands.length === 0 ? ['%+'] : operands) {
    const job = findJob(table, word);
    if (job === undefined) stderr.write(noSuchJob(table, 'disown', word === '%+' ? 'current' : word));
    if (job === undefined) status = 1;
    else table.remove(job);
  }
  return Promise.resolve(status);
}

/** Undefined: what is named is no job of this session's, but may be a process. */
function bringForth(
  table: JobTable,
  args: readonly string[],
  streams: BuiltinStreams,
  hasBase: boolean,
): Promise<number> | undefined {
  const [word] = args;
  const job = findJob(table, word ?? '%+') ?? table.find(`%${word ?? ''}`);
  if (job !== undefined) return resume(table, job, streams);
  if (hasBase && word !== undefined && !word.startsWith('%')) return undefined;
  streams.stderr.write(noSuchJob(table, 'fg', word ?? 'current'));
  return Promise.resolve(1);
}

async function resume(table: JobTable, job: Job, { stdout }: BuiltinStreams): Promise<number> {
  stdout.write(`${fromByteText(job.text).trimEnd()}\n`);
  const status = await (job.resume?.('foreground') ?? job.ended);
  if (job.isStopped) stdout.write(`${describeJob(table, job)}\n`);
  else if (job.status !== undefined) table.remove(job);
  return status;
}

function sendBack(table: JobTable, args: readonly string[], { stdout, stderr }: BuiltinStreams): Promise<number> {
  const words = args.length === 0 ? ['%+'] : args;
  let status = 0;
  for (const word of words) {
    const job = findJob(table, word) ?? table.find(`%${word}`);
    if (job === undefined) {
      stderr.write(noSuchJob(table, 'bg', args.length === 0 ? 'current' : word));
      status = 1;
    } else if (job.isStopped && job.resume !== undefined) {
      stdout.write(`[${job.number}]${table.markOf(job)} ${fromByteText(job.text).trimEnd()} &\n`);
      // Its end is told as that of any job.
      void job.resume('background').catch(() => undefined);
    } else {
      stderr.write(`bash: bg: job ${job.number} already in background\n`);
    }
  }
  return Promise.resolve(status);
}
