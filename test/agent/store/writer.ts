/**
 * A program that writes into an embedded store from several sides at once and says what was acknowledged, until it is killed. Writer N
 * raises `a/N` and `b/N` together; every so often one opens a session with an entry, or ends one. Lines: `a N COUNT REVISION`,
 * `s ID` (opened, with its entry `s/ID`), `e ID` (ended).
 */
import { writeSync } from 'node:fs';
import { openEmbeddedStore } from '../../../agent/store/open-store.ts';
import { sessionKey } from './fixture.ts';

const [directory = '', writers = '4'] = process.argv.slice(2);
const store = openEmbeddedStore({ directory, node: 'n1', limits: { maxRevisions: 200 } });
const say = (...words: unknown[]): void => {
  writeSync(1, `${words.join(' ')}\n`);
};

async function count(writer: string): Promise<void> {
  const { entry } = await store.get(`a/${writer}`, {});
  for (let n = Number(Buffer.from(entry?.value ?? []).toString() || 0) + 1; ; n++) {
    const value = Buffer.from(String(n));
    const { revision } = await store.txn(
      [],
      [
        { op: 'put', key: `a/${writer}`, value },
        { op: 'put', key: `b/${writer}`, value },
      ],
      [],
      {},
    );
    say('a', writer, n, revision);
  }
}

async function openAndEnd(): Promise<void> {
  for (let n = 0; ; n++) {
    const { id } = await store.grant(600, {});
    await store.txn([], [{ op: 'put', key: sessionKey(id), value: Buffer.from(id), session: id }], [], {});
    say('s', id);
    if (n % 2 === 0) continue;
    await store.revoke(id, {});
    say('e', id);
  }
}

say('ready');
await Promise.all([...Array.from({ length: Number(writers) }, (_, i) => count(String(i))), openAndEnd()]);
