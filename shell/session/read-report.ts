/** Reads the report of a driver (driver.ts has its form). It comes from a node and is data: nothing of it is evaluated, what is malformed is dropped. */
import { MalformedState } from './byte-cursor.ts';
import { exitHead, reportHead, reportTail } from './driver.ts';
import { readAliases, readFunctions, readTraps } from './read-functions.ts';
import { readOptions, readShopts } from './read-options.ts';
import { readLimits } from './read-limits.ts';
import { readVariables } from './read-variables.ts';
import { readTimes } from './cpu-times.ts';
import type { ByteText } from '../language/byte-text.ts';
import type { Snapshot } from './snapshot.ts';

/** A session larger than this is not carried. */
export const maxReportBytes = 1024 * 1024;

export interface Report {
  /** As the bash was before anything of the session was restored; present where it was asked for. */
  readonly fresh?: Snapshot;
  /** As the step left it. */
  readonly after: Snapshot;
  /** The bash was ended before its text was: by `exit`, or by `set -e` or a fatal error. */
  readonly endedBy?: 'exit' | 'failure';
  /** What was dropped, for people to read; empty when all is sound. */
  readonly refused: readonly string[];
}

/** @returns undefined where the bash did not come to the end of its text. @throws MalformedState where the frame itself is broken. */
export function readReport(text: ByteText, wantsFresh: boolean): Report | undefined {
  if (text.length > maxReportBytes * (wantsFresh ? 2 : 1)) throw new MalformedState('it is larger than 1 MiB');
  const refused: string[] = [];
  const refuse = (reason: string): void => {
    refused.push(reason);
  };
  const fields = new Fields(text);
  if (fields.atEnd) return undefined;
  const fresh = wantsFresh ? readSnapshot(fields, refuse) : undefined;
  if (fields.atEnd) return undefined;
  const exit = readExit(fields);
  const found = readSnapshot(fields, refuse);
  fields.end();
  const after = exit === undefined ? found : { ...found, status: exit.status, lastArgument: exit.lastArgument };
  return {
    after,
    refused,
    ...(fresh === undefined ? {} : { fresh }),
    ...(exit === undefined ? {} : { endedBy: exit.by }),
  };
}

function readExit(fields: Fields): { status: number; by: 'exit' | 'failure'; lastArgument: ByteText } | undefined {
  if (!fields.looksAt(`${exitHead}\0`)) return undefined;
  fields.next();
  const status = fields.number(255);
  return { status, by: fields.next() === 'exit' ? 'exit' : 'failure', lastArgument: fields.next() };
}

function readSnapshot(fields: Fields, refuse: (reason: string) => void): Snapshot {
  // A DEBUG trap prints before the first command of a report, too.
  if (!fields.next().endsWith(reportHead)) throw new MalformedState('a report of another form');
  const evalStatus = fields.number(255);
  const evalArgument = fields.next();
  fields.next();
  const options = readOptions(fields.next(), refuse);
  const last = fields.list();
  const shopts = readShopts(fields.next(), refuse);
  const umask = fields.next().trim();
  const directory = fields.next().replace(/\n$/, '');
  const variables = readVariables(fields.next(), refuse);
  const functionTexts = fields.next();
  const functions = readFunctions(functionTexts, fields.next(), refuse);
  const aliases = readAliases(fields.next(), refuse);
  const traps = readTraps(fields.next(), refuse);
  const limits = readLimits(fields.next(), fields.next(), refuse);
  const cpu = readTimes(fields.next());
  const from = fields.next();
  const directories = fields.list();
  const positional = fields.list();
  fields.expect(reportTail);
  if (!/^[0-7]{3,4}$/.test(umask)) throw new MalformedState('a umask that is none');
  const [status, lastArgument = evalArgument, ...pipeStatus] = last;
  return {
    status: status === undefined ? evalStatus : readStatus(status),
    lastArgument,
    pipeStatus: pipeStatus.map(readStatus),
    directory,
    directories: directories.slice(1),
    umask,
    positional,
    options,
    shopts,
    variables,
    functions,
    aliases,
    traps,
    limits,
    cpu,
    secondsFrom: /^\d{1,12}$/.test(from) ? Number(from) : undefined,
  };
}

function readStatus(text: ByteText): number {
  if (!/^\d{1,3}$/.test(text) || Number(text) > 255) throw new MalformedState('a status that is none');
  return Number(text);
}

class Fields {
  private readonly text: ByteText;
  private at = 0;

  constructor(text: ByteText) {
    this.text = text;
  }

  get atEnd(): boolean {
    return this.at >= this.text.length;
  }

  looksAt(text: ByteText): boolean {
    return this.text.startsWith(text, this.at);
  }

  next(): ByteText {
    const end = this.text.indexOf('\0', this.at);
    if (end < 0) throw new MalformedState('a report that breaks off');
    const field = this.text.slice(this.at, end);
    this.at = end + 1;
    return field;
  }

  number(max: number): number {
    const field = this.next();
    const value = Number(field);
    if (!/^\d{1,7}$/.test(field) || value > max) throw new MalformedState('a number out of its range');
    return value;
  }

  /** A count, then as many fields. */
  list(): ByteText[] {
    return Array.from({ length: this.number(1_000_000) }, () => this.next());
  }

  expect(field: ByteText): void {
    if (this.next() !== field) throw new MalformedState('a report of another form');
  }

  end(): void {
    if (!this.atEnd) throw new MalformedState('something behind the report');
  }
}
