/**
 * A program that fills the small disk that its argument is on while it writes into a store there, and makes room again. Says `KEY CODE` for
 * each write, and at last `there KEYS`.
 */
import { rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { openEmbeddedStore } from '../../../agent/store/open-store.ts';
import { NshError } from '../../../src/protocol/errors.ts';
import { ClientStore } from '../../../src/store/client-store.ts';

const [disk = ''] = process.argv.slice(2);
const options = { directory: join(disk, 'store'), node: 'n1' };
const filler = join(disk, 'filler');
const embedded = openEmbeddedStore(options);
const store = new ClientStore(embedded);
const say = (...words: readonly string[]): boolean => process.stdout.write(`${words.join(' ')}\n`);

async function write(key: string): Promise<string> {
  try {
    await store.txn([], [{ op: 'put', key, value: Buffer.alloc(100_000) }]);
    return 'done';
  } catch (error) {
    return error instanceof NshError ? error.code : String(error);
  }
}

say('first', await write('first'));
writeFileSync(filler, Buffer.alloc(2_700_000));
for (let n = 0; ; n++) {
  const outcome = await write(`full${n}`);
  say(`full${n}`, outcome);
  if (outcome !== 'done') break;
}
say('behind', await write('behind'));
rmSync(filler);
while ((await store.status()).health !== 'ok') await delay(20);
say('last', await write('last'));
await embedded.close();
const again = openEmbeddedStore(options);
say('there', ...(await new ClientStore(again).list('', { keysOnly: true })).entries.map(({ key }) => key));
await again.close();
