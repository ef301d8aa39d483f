/**
 * Rounds of kill -9: a program writes into the store, is killed at a random moment, and what it said was acknowledged must be there, whole,
 * with a history that adds up. `npm run soak:store -- ROUNDS SEED` runs as many as wanted; the test runs a few.
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { rmSync } from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';
import type { EmbeddedStore } from '../../../agent/store/embedded-store.ts';
import { ClientStore } from '../../../src/store/client-store.ts';
import type { Entry, SessionId } from '../../../src/store/store.ts';
import { makeRandom } from '../../ids/random.ts';
import { buildProgram } from './build-program.ts';
import { sessionKey, type StoreDirectory } from './fixture.ts';

/** Of all rounds so far. */
export interface Acknowledged {
  readonly counts: Map<string, { readonly count: number; readonly revision: bigint }>;
  readonly opened: Set<SessionId>;
  readonly ended: Set<SessionId>;
  writes: number;
}

/** @throws Error where something acknowledged is lost, or what is there does not add up. */
export async function killRounds(directory: StoreDirectory, rounds: number, seed: number): Promise<Acknowledged> {
  const random = makeRandom(seed);
  const program = await buildProgram('writer.ts');
  const known: Acknowledged = { counts: new Map(), opened: new Set(), ended: new Set(), writes: 0 };
  try {
    for (let round = 1; round <= rounds; round++) {
      note(known, await writeUntilKilled([program, directory.path], random.between(0, 150)));
      await verifyOnce(directory, known).catch((error: unknown) => {
        throw new Error(`seed ${seed}, round ${round}: ${String(error)}`, { cause: error });
      });
    }
  } finally {
    rmSync(program, { force: true });
  }
  return known;
}

async function verifyOnce(directory: StoreDirectory, known: Acknowledged): Promise<void> {
  const store = directory.open();
  try {
    await verify(store, known);
  } finally {
    await store.close();
  }
}

/** @returns the whole lines that it wrote. */
async function writeUntilKilled(words: readonly string[], afterMs: number): Promise<string[]> {
  const child = spawn(process.execPath, words, { stdio: ['ignore', 'pipe', 'inherit'] });
  let text = '';
  child.stdout.setEncoding('utf8');
  const ready = new Promise<void>((resolve) => {
    child.stdout.on('data', (chunk: string) => {
      text += chunk;
      resolve();
    });
  });
  const closed = once(child, 'close');
  await Promise.race([ready, closed]);
  await delay(afterMs);
  child.kill('SIGKILL');
  const [, signal] = (await closed) as [number | null, string | null];
  if (signal !== 'SIGKILL') throw new Error(`the writer ended by itself: ${text.slice(-500)}`);
  return text.slice(0, text.lastIndexOf('\n')).split('\n');
}

function note(known: Acknowledged, lines: readonly string[]): void {
  for (const line of lines) {
    const [kind, name = '', count, revision] = line.split(' ');
    if (kind === 'a') known.counts.set(name, { count: Number(count), revision: BigInt(revision ?? 0) });
    if (kind === 's') known.opened.add(name as SessionId);
    if (kind === 'e') known.ended.add(name as SessionId);
    known.writes++;
  }
}

async function verify(embedded: EmbeddedStore, known: Acknowledged): Promise<void> {
  const store = new ClientStore(embedded);
  const { entries, revision } = await store.list('');
  const byKey = new Map(entries.map((entry) => [entry.key, entry]));
  for (const [writer, { count, revision: at }] of known.counts) {
    const [a, b] = [numberOf(byKey.get(`a/${writer}`)), numberOf(byKey.get(`b/${writer}`))];
    if (a !== b) throw new Error(`half a transaction of writer ${writer} is there: ${a} and ${b}`);
    if (a < count) throw new Error(`writer ${writer} was told that ${count} is written; ${a} is there`);
    if (a > count + 1) throw new Error(`writer ${writer} has written ${count}; ${a} is there`);
    if (revision < at) throw new Error(`revision ${at} was acknowledged; the store is at ${revision}`);
    // The next round goes on from what it finds, acknowledged or not.
    known.counts.set(writer, { count: a, revision });
  }
  for (const session of known.opened) {
    const isThere = byKey.has(sessionKey(session));
    const lives = await embedded.renew(session, {}).then(
      () => true,
      () => false,
    );
    if (isThere !== lives)
      throw new Error(`session ${session} ${lives ? 'lives' : 'is over'}, its entry does not agree`);
    if (known.ended.has(session) && lives) throw new Error(`session ${session} was ended, and lives`);
  }
  const open = [...known.opened].filter((session) => !known.ended.has(session));
  const lost = open.filter((session) => !byKey.has(sessionKey(session)));
  // The last one may have been ended without that being acknowledged.
  if (lost.length > 1) throw new Error(`sessions that nobody ended are gone: ${lost.join(' ')}`);
  for (const session of lost) known.ended.add(session);
  await verifyHistory(store, { entries, revision });
  await store.close();
}

/** The store as it was at the compacted revision, with all later changes done to it, is the store as it is. */
async function verifyHistory(
  store: ClientStore,
  { entries, revision }: { readonly entries: readonly Entry[]; readonly revision: bigint },
): Promise<void> {
  const { compacted, before } = await oldest(store);
  const replayed = new Map(before.map((entry) => [entry.key, entry]));
  let next = compacted + 1n;
  if (next <= revision) {
    for await (const batch of store.watch('', next)) {
      if (batch.revision !== next) throw new Error(`revision ${batch.revision} follows ${next - 1n}`);
      for (const event of batch.events) {
        if (event.type === 'put') replayed.set(event.key, event.entry);
        else replayed.delete(event.key);
      }
      next++;
      if (next > revision) break;
    }
  }
  const plain = (list: Iterable<Entry>): string =>
    [...list]
      .map((entry) => [entry.key, entry.modRevision, entry.version, entry.createRevision, numberOf(entry)].join(' '))
      .sort()
      .join('\n');
  if (plain(replayed.values()) !== plain(entries)) throw new Error('the history does not lead to what is there');
}

async function oldest(store: ClientStore): Promise<{ readonly compacted: bigint; readonly before: readonly Entry[] }> {
  for (let at = 1n; ; ) {
    try {
      return { compacted: at, before: (await store.list('', { atRevision: at })).entries };
    } catch (error) {
      const { data } = error as { data?: { revision?: string } };
      if (data?.revision === undefined) throw error;
      at = BigInt(data.revision);
    }
  }
}

function numberOf(entry: Entry | undefined): number {
  return Number(Buffer.from(entry?.value ?? []).toString() || 0);
}
