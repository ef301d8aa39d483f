/**
 * Signal names and numbers of Linux (signal(7), the numbering that x86 and arm share), as kill(1) of procps and POSIX spell
 * them; real-time signals as bash and glibc count them (34 to 64: the two below are glibc's own).
 */
import { NshError } from '../protocol/errors.ts';
import { suggestNear } from './near.ts';
import { quoteText } from './quote-text.ts';

/** Place in the list + 1 is the number. */
const names: readonly string[] = [
  'HUP INT QUIT ILL TRAP ABRT BUS FPE KILL USR1 SEGV USR2 PIPE ALRM TERM STKFLT',
  'CHLD CONT STOP TSTP TTIN TTOU URG XCPU XFSZ VTALRM PROF WINCH POLL PWR SYS',
].flatMap((line) => line.split(' '));

/** Second names; the first ones are printed. */
const aliases: Readonly<Record<string, number>> = { IOT: 6, CLD: 17, IO: 29, UNUSED: 31, EXIT: 0 };

const minRealTime = 34;
export const maxSignal = 64;

/** `TERM` for 15, `RTMIN+1` for 35, `EXIT` for 0; undefined where the number is no signal that a program can use. */
export function signalName(signal: number): string | undefined {
  if (signal === 0) return 'EXIT';
  const ordinary = names[signal - 1];
  if (ordinary !== undefined) return ordinary;
  if (!Number.isInteger(signal) || signal < minRealTime || signal > maxSignal) return undefined;
  const fromMin = signal - minRealTime;
  const fromMax = maxSignal - signal;
  if (fromMin === 0) return 'RTMIN';
  if (fromMax === 0) return 'RTMAX';
  return fromMin <= 15 ? `RTMIN+${fromMin}` : `RTMAX-${fromMax}`;
}

/** The number of a signal as a person types it: `TERM`, `SIGTERM`, `term`, `15`, `RTMIN+3`, `0`. Undefined where there is none. */
export function findSignal(text: string): number | undefined {
  if (/^\d+$/.test(text)) {
    const number = Number(text);
    return number <= maxSignal ? number : undefined;
  }
  const upper = text.toUpperCase();
  const name = upper.startsWith('SIG') ? upper.slice(3) : upper;
  const ordinary = names.findIndex((known) => known === name) + 1;
  if (ordinary > 0) return ordinary;
  if (Object.hasOwn(aliases, name)) return aliases[name];
  return findRealTimeSignal(name);
}

function findRealTimeSignal(name: string): number | undefined {
  const { base, sign, count } = /^RT(?<base>MIN|MAX)(?:(?<sign>[+-])(?<count>\d{1,2}))?$/.exec(name)?.groups ?? {};
  if (base === undefined) return undefined;
  if (sign !== undefined && sign !== (base === 'MIN' ? '+' : '-')) return undefined;
  const number = base === 'MIN' ? minRealTime + Number(count ?? 0) : maxSignal - Number(count ?? 0);
  return number >= minRealTime && number <= maxSignal ? number : undefined;
}

/** @throws NshError `usage` */
export function parseSignal(text: string): number {
  const signal = findSignal(text);
  if (signal !== undefined) return signal;
  const hint = /^\d+$/.test(text) ? `; signals end at ${maxSignal}` : suggestNear(text.replace(/^SIG/i, ''), names);
  throw new NshError('usage', `unknown signal ${quoteText(text)}${hint || "; 'nsh kill -l' lists them"}`);
}

/**
 * What `kill -l WORD` answers: the name for a number or for the exit status of a process that a signal ended (128 + number),
 * the number for a name.
 * @throws NshError `usage`
 */
export function lookUpSignal(word: string): string {
  if (!/^\d+$/.test(word)) return String(parseSignal(word));
  const number = Number(word);
  const name = signalName(number) ?? (number > 128 ? signalName(number - 128) : undefined);
  if (name !== undefined) return name;
  throw new NshError('usage', `${word} is neither a signal nor the exit status of a process that a signal ended`);
}

/** Lines of `kill -l`: names in order of their numbers, as procps prints them. */
export function listSignals(columns = 80): string {
  const lines: string[] = [];
  let line = '';
  for (const name of names) {
    if (line !== '' && line.length + 1 + name.length >= columns) {
      lines.push(line);
      line = '';
    }
    line += line === '' ? name : ` ${name}`;
  }
  return [...lines, line].map((text) => `${text}\n`).join('');
}

/** Lines of `kill -L`: numbers and names, seven to a line, as procps prints them. */
export function tabulateSignals(): string {
  const perLine = 7;
  const cells = names.map((name, index) => {
    const endsLine = (index + 1) % perLine === 0;
    return `${String(index + 1).padStart(2)} ${endsLine ? name : name.padEnd(8)}`;
  });
  const lines: string[] = [];
  for (let from = 0; from < cells.length; from += perLine) lines.push(cells.slice(from, from + perLine).join(''));
  return lines.map((line) => `${line}\n`).join('');
}
