/** A real etcd that asks for users, each with a role for its own prefix and nothing else. */
import { execFileSync } from 'node:child_process';
import { chmodSync, chownSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { openEtcdStore } from '../../../src/store/etcd/etcd-store.ts';
import { readPassword } from '../../../src/store/etcd/password.ts';
import { withNamespace } from '../../../src/store/namespace.ts';
import type { Store } from '../../../src/store/store.ts';
import { describeStoreContract } from '../contract.ts';
import { put, read, textOf, WatchReader, write } from '../contract/context.ts';
import { EtcdCluster } from './cluster.ts';
import { EtcdUsers, writePassword } from './users.ts';

const directory = mkdtempSync(join(tmpdir(), 'nsh-users-'));
const file = (name: string): string => join(directory, name);
const prefixOf = (name: string): string => `nsh/prod/${name}/`;
const stores: Store[] = [];
/** A password costs etcd a tenth of a second else. */
const quick = { 'bcrypt-cost': '4' };

let etcd: EtcdCluster;
let users: EtcdUsers;
beforeAll(async () => {
  etcd = await EtcdCluster.start({ members: 1, options: quick });
  users = await EtcdUsers.enable(etcd.urls[0] ?? '');
  await users.add('alice', 'first secret', prefixOf('alice'));
  await users.add('bob', 'second secret', prefixOf('bob'));
  await writePassword(file('alice'), 'first secret');
  await writePassword(file('bob'), 'second secret');
});
afterEach(async () => {
  for (const store of stores.splice(0)) await store.close();
});
afterAll(async () => {
  await etcd.stop();
  rmSync(directory, { recursive: true });
});

async function openAs(name: string, prefix = prefixOf(name), passwordFile = file(name)): Promise<Store> {
  const store = await openEtcdStore({ urls: etcd.urls, prefix, login: { name, passwordFile } });
  stores.push(store);
  return withNamespace(store, prefix);
}

describeStoreContract(
  'etcd as a user with a role for one prefix',
  async () => {
    const one = await EtcdCluster.start({ members: 1, options: quick });
    const its = await EtcdUsers.enable(one.urls[0] ?? '');
    await its.add('alice', 'first secret', prefixOf('alice'));
    const login = { name: 'alice', passwordFile: file('alice') };
    return {
      open: async () =>
        withNamespace(await openEtcdStore({ urls: one.urls, prefix: prefixOf('alice'), login }), prefixOf('alice')),
      close: () => one.stop(),
    };
  },
  { expiry: false },
);

describe('an etcd that asks for users', () => {
  it('serves each within its prefix, and tells which grant is missing beyond it', async () => {
    const [alice, bob] = [await openAs('alice'), await openAs('bob')];
    await write(alice, 'key', 'hers');
    await write(bob, 'key', 'his');
    expect([await read(alice, 'key'), await read(bob, 'key')]).toEqual(['hers', 'his']);
    const nosy = await openAs('bob', prefixOf('alice'));
    const denied = {
      code: 'storeUnavailable',
      message: expect.stringContaining(
        "permission denied (a role of user 'bob' must let it read and write all keys that begin with nsh/prod/alice/: etcdctl role grant-permission --prefix ROLE readwrite nsh/prod/alice/)",
      ) as unknown,
    };
    await expect(nosy.get('key')).rejects.toMatchObject(denied);
    await expect(nosy.list('')).rejects.toMatchObject(denied);
    await expect(nosy.txn([], [put('key', 'mine now')])).rejects.toMatchObject(denied);
    await expect(nosy.txn([{ key: 'key', on: 'create', to: 1n }], [])).rejects.toMatchObject(denied);
    expect(await new WatchReader(nosy, '', 1n).ended).toMatchObject(denied);
    expect(await nosy.status()).toMatchObject({
      health: 'down',
      warnings: expect.arrayContaining([denied.message]) as unknown,
    });
    expect(await read(alice, 'key')).toBe('hers');
  });

  it('ends no session whose keys are not of who asks', async () => {
    const [alice, bob] = [await openAs('alice'), await openAs('bob')];
    const session = await alice.openSession(60);
    await alice.txn([], [{ op: 'put', key: 'held', value: Buffer.from('hers'), session: session.id }]);
    const stolen = await bob.adoptSession(session.id);
    await expect(stolen.close()).rejects.toThrow(/permission denied/);
    expect(await read(alice, 'held')).toBe('hers');
    await session.close();
    expect(await read(alice, 'held')).toBeUndefined();
  });

  it('says whose password, in which file, it does not take, and that it wants one', async () => {
    await writePassword(file('wrong'), 'nothing of the kind');
    const wrong = await openAs('alice', prefixOf('alice'), file('wrong'));
    const failure = await wrong.get('key').catch((error: unknown) => String(error));
    expect(failure).toContain(`authentication failed, invalid user ID or password (it was asked as user 'alice'`);
    expect(failure).toContain(file('wrong'));
    expect(failure).not.toContain('nothing of the kind');
    await expect(wrong.txn([], [put('key', 'x')])).rejects.toMatchObject({ code: 'storeUnavailable' });
    // It is told the right one, and needs no new start.
    await writePassword(file('wrong'), 'first secret');
    await write(wrong, 'key', 'x');
    const nobody = await openEtcdStore({ urls: etcd.urls });
    stores.push(nobody);
    await expect(nobody.get('key')).rejects.toThrow(/asks for users: name a passwordFile in the cluster file/);
  });

  it('does not know its tokens any more when it was started anew, and nothing is lost or done twice for it', async () => {
    const alice = await openAs('alice');
    const session = await alice.openSession(60);
    const { revision } = await alice.get('count');
    const reader = new WatchReader(alice, 'count', revision + 1n);
    await write(alice, 'count', '1');
    await reader.events(1);
    await etcd.member(0).kill();
    etcd.member(0).start();
    await etcd.waitUntilServing();
    const writes = ['2', '3', '4'].map((value) =>
      alice.txn([], [{ op: 'put', key: 'count', value: Buffer.from(value) }], [], { deadlineMs: 20_000 }),
    );
    const done = await Promise.allSettled(writes);
    // What was sent over the broken connection may have failed; what was answered was done once.
    const succeeded = done.filter(({ status }) => status === 'fulfilled').length;
    await write(alice, 'count', 'end');
    await session.renew();
    const events = await reader.events(succeeded + 2);
    expect(events.at(-1)).toBe('+count=end');
    expect((await alice.get('count')).entry?.version).toBe(BigInt(events.length));
    await reader.stop();
    await session.close();
  });

  it('takes the new password where the old one was changed', async () => {
    await users.add('carol', 'old', prefixOf('carol'));
    await writePassword(file('carol'), 'old');
    const carol = await openAs('carol');
    await write(carol, 'key', '1');
    await users.changePassword('carol', 'new');
    await writePassword(file('carol'), 'new');
    await write(carol, 'key', '2');
    expect(textOf((await carol.get('key')).entry)).toBe('2');
  });

  it('warns that a password is of no use where it asks nobody for one', async () => {
    const open = await EtcdCluster.start({ members: 1, options: quick });
    try {
      const store = await openEtcdStore({ urls: open.urls, login: { name: 'alice', passwordFile: file('alice') } });
      stores.push(store);
      await write(store, 'key', 'x');
      const { health, warnings } = await store.status();
      expect(health).toBe('ok');
      expect(warnings.join('\n')).toMatch(/asks nobody who he is/);
      // It asks from now on, and the store goes on.
      const its = await EtcdUsers.enable(open.urls[0] ?? '');
      await its.add('alice', 'first secret', 'k');
      await write(store, 'key', 'y');
      expect((await store.list('k')).entries).toHaveLength(1);
    } finally {
      await open.stop();
    }
  });
});

describe('an etcd whose tokens run out', () => {
  it('is asked for another one, by calls and by watches that begin', async () => {
    execFileSync('openssl', ['genrsa', '-out', file('jwt.key'), '2048'], { stdio: 'ignore' });
    execFileSync('openssl', ['rsa', '-in', file('jwt.key'), '-pubout', '-out', file('jwt.pub')], { stdio: 'ignore' });
    const token = `jwt,pub-key=${file('jwt.pub')},priv-key=${file('jwt.key')},sign-method=RS256,ttl=2s`;
    const one = await EtcdCluster.start({ members: 1, options: { ...quick, 'auth-token': token } });
    try {
      const its = await EtcdUsers.enable(one.urls[0] ?? '');
      await its.add('alice', 'first secret', 'k');
      const login = { name: 'alice', passwordFile: file('alice') };
      const store = await openEtcdStore({ urls: one.urls, prefix: 'k', login });
      stores.push(store);
      const session = await store.openSession(60);
      const reader = new WatchReader(store, 'k', 1n);
      const until = performance.now() + 3_000;
      let count = 0;
      while (performance.now() < until) {
        await write(store, `k${count++}`, 'x');
        if (count % 50 === 0) {
          await session.renew();
          const late = new WatchReader(store, 'k', 1n);
          await late.events(count);
          await late.stop();
        }
      }
      expect(await reader.events(count)).toHaveLength(count);
      await reader.stop();
      await session.close();
    } finally {
      await one.stop();
    }
  });
});

describe('the file of a password', () => {
  const write600 = (name: string, text: string): string => {
    writeFileSync(file(name), text, { mode: 0o600 });
    return file(name);
  };

  it.each([
    ['a line', 'se cret \n', 'se cret '],
    ['a line of another system', 'secret\r\n', 'secret'],
    ['a line without an end', 'sécret', 'sécret'],
  ])('holds %s', async (_what, text, password) => {
    expect(await readPassword(write600('good', text))).toBe(password);
  });

  it('may be a link to such a file', async () => {
    write600('target', 'secret\n');
    symlinkSync(file('target'), file('link'));
    expect(await readPassword(file('link'))).toBe('secret');
  });

  it.each(['0640', '0604', '0620', '0602', '0610'])(
    'is refused with mode %s, since others may use it',
    async (mode) => {
      chmodSync(write600('open', 'secret\n'), Number.parseInt(mode, 8));
      await expect(readPassword(file('open'))).rejects.toMatchObject({
        code: 'clusterFile',
        message: `the store's passwordFile ${file('open')} may be used by others (mode ${mode}): chmod 600 it`,
      });
    },
  );

  it('is refused where it is missing, empty, of several lines, too long, a directory or a FIFO that nobody writes to', async () => {
    mkdirSync(file('folder'));
    execFileSync('mkfifo', ['-m', '600', file('fifo')]);
    await expect(readPassword(file('none'))).rejects.toThrow(/none cannot be read: ENOENT/);
    await expect(readPassword(write600('empty', '\n'))).rejects.toThrow(/is empty/);
    await expect(readPassword(write600('lines', 'a\nb\n'))).rejects.toThrow(/more than one line/);
    await expect(readPassword(write600('long', 'x'.repeat(5_000)))).rejects.toThrow(/has 5000 bytes/);
    await expect(readPassword(file('folder'))).rejects.toThrow(/no regular file/);
    await expect(readPassword(file('fifo'))).rejects.toThrow(/no regular file/);
  });

  it.skipIf(process.getuid?.() !== 0)('is refused where it is somebody else’s', async () => {
    chownSync(write600('foreign', 'secret\n'), 65_534, 65_534);
    await expect(readPassword(file('foreign'))).rejects.toThrow(
      /belongs to user 65534, and must belong to the one who runs this \(0\)/,
    );
  });
});
