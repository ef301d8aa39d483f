/**
 * A bash of this machine that is fed its texts one after the other, for a script that arrives piece by piece on standard input: in one bash open descriptors, jobs and `$$`
 * are the script's from its first line to its last. The other side is `feedDriver` (driver.ts).
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { closeSync, ftruncateSync, writeSync } from 'node:fs';
import type { Socket } from 'node:net';
import { constants } from 'node:os';
import type { ByteText } from '../language/byte-text.ts';
import { closeChannelFile, openChannelFile, readChannelFile } from '../../src/cluster/channel-file.ts';
import { feedDriver } from './driver.ts';
import { maxReportBytes } from './read-report.ts';
import { openInputPipe, openRealPipe } from './real-pipe.ts';
import type { Last } from './restore.ts';
import type { BashEnd, RunningBash } from './runner.ts';

export interface FedBashOptions {
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly cwd: string;
  readonly name: string;
  /** renderFedRestore */
  readonly restore: ByteText;
}

/** How the last text ended. */
export interface Ready extends Last {
  /** `$-` */
  readonly flags: ByteText;
}

export interface FedBash extends RunningBash {
  /** Resolves when it waits for a text; undefined: it has ended. */
  ready(): Promise<Ready | undefined>;
  /** Runs a text (renderFedText); to be called when it is ready. */
  feed(text: ByteText): void;
  /** No more is to come: it reports and ends. */
  finish(): void;
}

/** It has this process's stdin, stdout and stderr. */
export async function startFedBash(options: FedBashOptions): Promise<FedBash> {
  const restore = openChannelFile(options.restore);
  const report = openChannelFile('');
  const text = openChannelFile('');
  const go = await openInputPipe();
  const done = await openRealPipe();
  const child = spawn('bash', ['--norc', '--noprofile', '-c', feedDriver, options.name], {
    cwd: options.cwd,
    env: { ...options.env, BASH_ENV: undefined, ENV: undefined },
    stdio: ['inherit', 'inherit', 'inherit', restore, report, text, go.reader, done.writer],
  });
  for (const fd of [restore, go.reader, done.writer]) closeSync(fd);
  const exited = watchExit(child);
  const words = readWords(done.reader);
  let isFinished = false;
  const finish = (): void => {
    if (!isFinished) closeSync(go.writer);
    isFinished = true;
  };
  const end = async (): Promise<BashEnd> => {
    const how = await exited;
    finish();
    done.reader.destroy();
    closeChannelFile(text);
    const found = readChannelFile(report, maxReportBytes * 2 + 1);
    closeChannelFile(report);
    return { ...how, report: found };
  };
  return {
    pid: child.pid,
    isInOwnGroup: true,
    ended: end(),
    kill: (signal) => {
      child.kill(`SIG${signal}` as NodeJS.Signals);
    },
    ready: async () => {
      const fields = await Promise.race([words.next(), exited.then(() => undefined)]);
      return fields === undefined ? undefined : readLast(fields);
    },
    feed: (content) => {
      const bytes = Buffer.from(content, 'latin1');
      ftruncateSync(text);
      for (let at = 0; at < bytes.length; ) at += writeSync(text, bytes, at, bytes.length - at, at);
      writeSync(go.writer, 'g');
    },
    finish,
  };
}

async function watchExit(child: ChildProcess): Promise<{ status: number; signal?: string }> {
  return await new Promise((resolve, reject) => {
    child.once('error', reject);
    child.once('exit', (code, signal) => {
      if (signal === null) resolve({ status: code ?? 255 });
      else resolve({ status: 128 + constants.signals[signal], signal });
    });
  });
}

/** What the bash tells each time: a count, as many fields, `$-`. */
function readWords(reader: Socket): { next(): Promise<ByteText[] | undefined> } {
  let text = '';
  let wake: (() => void) | undefined;
  let isClosed = false;
  reader.on('data', (chunk: Buffer) => {
    text += chunk.toString('latin1');
    wake?.();
  });
  const close = (): void => {
    isClosed = true;
    wake?.();
  };
  reader.on('close', close);
  reader.on('error', close);
  const take = (): ByteText[] | undefined => {
    const fields = text.split('\0');
    const count = Number(fields[0]) + 2;
    if (fields.length <= count) return undefined;
    text = fields.slice(count).join('\0');
    return fields.slice(1, count);
  };
  return {
    next: async () => {
      for (;;) {
        const found = text === '' ? undefined : take();
        if (found !== undefined || isClosed) return found;
        await new Promise<void>((resolve) => {
          wake = resolve;
        });
      }
    },
  };
}

/** `eval`'s own status, then what `keepLast` kept where the text came to its end; last `$-`. */
function readLast(fields: readonly ByteText[]): Ready {
  const [evalStatus = '0', status = '', lastArgument = '', ...rest] = fields.slice(0, -1);
  const flags = fields.at(-1) ?? '';
  if (status === '') return { status: Number(evalStatus), lastArgument: undefined, pipeStatus: [], flags };
  return { status: Number(status), lastArgument, pipeStatus: rest.map(Number), flags };
}
