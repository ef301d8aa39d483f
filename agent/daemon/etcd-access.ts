/** The etcd that the cluster file names: one client for all who use it here, opened when somebody needs it. */
import { userInfo } from 'node:os';
import { keyPrefix, type EtcdSpec } from '../../src/cluster/store-spec.ts';
import { withNamespace } from '../../src/store/namespace.ts';
import { storeAsCalls } from '../../src/store/store-as-calls.ts';
import type { StoreCalls } from '../../src/store/store-calls.ts';
import type { Store } from '../../src/store/store.ts';

interface Opened {
  readonly stamp: string;
  readonly store: Promise<Store>;
  readonly calls: Promise<StoreCalls>;
}

/** Calls that are under way when an etcd is left have so long to come to their end. */
const leaveMs = 10_000;

export class EtcdAccess {
  readonly #cluster: string;
  readonly #login = loginName();
  readonly #leaving = new Set<() => Promise<void>>();
  #opened: Opened | undefined;

  constructor(cluster: string) {
    this.#cluster = cluster;
  }

  /** Of all keys. */
  prefixOf(spec: EtcdSpec): string {
    return keyPrefix(spec, this.#cluster, this.#login);
  }

  /** Until the cluster file says anything else of it. @throws NshError `clusterFile` */
  async open(spec: EtcdSpec): Promise<StoreCalls> {
    const prefix = this.prefixOf(spec);
    const stamp = JSON.stringify([spec, prefix]);
    if (this.#opened?.stamp === stamp) return await this.#opened.calls;
    this.leave();
    const { endpoints: urls, ca, cert, key, passwordFile } = spec;
    const tls = Object.fromEntries(Object.entries({ ca, cert, key }).filter(([, path]) => path !== undefined));
    const name = spec.login ?? spec.user ?? this.#login;
    const login = passwordFile === undefined ? {} : { login: { name, passwordFile } };
    const store = import('../../src/store/etcd/etcd-store.ts').then(({ openEtcdStore }) =>
      openEtcdStore({ urls, tls, prefix, ...login }),
    );
    const calls = store.then((whole) => storeAsCalls(withNamespace(whole, prefix)));
    const opened = { stamp, store, calls };
    this.#opened = opened;
    calls.catch(() => {
      // Files that could not be read may be there the next time.
      if (this.#opened === opened) this.#opened = undefined;
    });
    return await calls;
  }

  /** It is not asked any more. */
  leave(): void {
    const left = this.#opened;
    this.#opened = undefined;
    if (left === undefined) return;
    const close = async (): Promise<void> => {
      this.#leaving.delete(close);
      await closeOpened(left);
    };
    this.#leaving.add(close);
    setTimeout(() => void close(), leaveMs).unref();
  }

  async close(): Promise<void> {
    await Promise.all([closeOpened(this.#opened), ...[...this.#leaving].map((close) => close())]);
  }
}

async function closeOpened(opened: Opened | undefined): Promise<void> {
  const store = await opened?.store.catch(() => undefined);
  await store?.close();
}

/** Whose keys these are. Where the user database does not know the user, the number has to do. */
function loginName(): string {
  try {
    return userInfo().username;
  } catch {
    return String(process.getuid?.() ?? 0);
  }
}
