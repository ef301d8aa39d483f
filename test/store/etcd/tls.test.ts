/** URLs, certificates, and an etcd that asks clients for theirs. */
import { copyFile, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { openEtcdStore } from '../../../src/store/etcd/etcd-store.ts';
import { authorityOf, parseEtcdUrl } from '../../../src/store/etcd/etcd-url.ts';
import type { EtcdTls } from '../../../src/store/etcd/credentials.ts';
import type { Store } from '../../../src/store/store.ts';
import { read, write } from '../contract/context.ts';
import type { Certificates } from './certificates.ts';
import { EtcdCluster } from './cluster.ts';
import { clientPort } from './member.ts';
import { TcpProxy } from './tcp-proxy.ts';

describe('a URL of an etcd', () => {
  it.each([
    ['http://etcd1', 'etcd1:2379'],
    ['https://etcd1.example.com:4001', 'etcd1.example.com:4001'],
    ['https://10.0.0.1', '10.0.0.1:2379'],
    ['https://etcd1:443', 'etcd1:443'],
    ['http://etcd1:80/', 'etcd1:80'],
    ['http://[fd00::1]:2379', '[fd00::1]:2379'],
    ['http://[fd00::1]', '[fd00::1]:2379'],
  ])('%s leads to %s', (text, authority) => {
    expect(authorityOf(parseEtcdUrl(text))).toBe(authority);
  });

  it.each(['etcd1:2379', 'ftp://etcd1', 'http://', 'http://me@etcd1', 'http://etcd1/v3', 'http://etcd1?x', ''])(
    '%j is none',
    (text) => {
      expect(() => parseEtcdUrl(text)).toThrow(/no URL of an etcd: write http:/);
    },
  );

  it('is needed once at least', async () => {
    await expect(openEtcdStore({ urls: [] })).rejects.toMatchObject({ code: 'clusterFile' });
  });
});

describe('an etcd with TLS and client certificates', () => {
  let cluster: EtcdCluster;
  let files: Certificates;
  const stores: Store[] = [];
  const open = async (tls: EtcdTls, urls = cluster.urls): Promise<Store> => {
    const store = await openEtcdStore({ urls, tls });
    stores.push(store);
    return store;
  };
  beforeAll(async () => {
    cluster = await EtcdCluster.start({ members: 1, tls: true });
    if (cluster.certificates === undefined) throw new Error('no certificates');
    files = cluster.certificates;
  });
  afterEach(async () => {
    for (const store of stores.splice(0)) await store.close();
  });
  afterAll(async () => {
    await cluster.stop();
  });

  it('serves who shows a certificate of its authority', async () => {
    const store = await open({ ca: files.ca, cert: files.clientCert, key: files.clientKey });
    const revision = await write(store, 'tls/1', 'x');
    for await (const batch of store.watch('tls/', revision)) {
      expect(batch.events).toMatchObject([{ type: 'put', key: 'tls/1' }]);
      break;
    }
    const session = await store.openSession(5);
    await session.close();
    expect(await store.status()).toMatchObject({ health: 'ok', faultTolerant: false, members: [{ leader: true }] });
  });

  it('is found behind an endpoint of the wrong protocol, too', async () => {
    const plain = cluster.urls.map((url) => url.replace('https:', 'http:'));
    const store = await open({ ca: files.ca, cert: files.clientCert, key: files.clientKey }, [
      ...plain,
      ...cluster.urls,
    ]);
    await write(store, 'tls/2', 'x');
    expect(await read(store, 'tls/2')).toBe('x');
  });

  it('refuses, or is refused by, a client whose certificates are wrong, and the error says so', async () => {
    const { ca, clientCert: cert, clientKey: key } = files;
    const cases: readonly (readonly [EtcdTls, RegExp])[] = [
      [{ ca }, /refuses our TLS handshake .*client certificate/],
      [{ ca, cert: files.strangerCert, key: files.strangerKey }, /refuses our TLS handshake/],
      [{ cert, key }, /unable to verify the first certificate/],
      [{ ca: files.strangerCa, cert, key }, /unable to verify the first certificate/],
    ];
    await Promise.all(
      cases.map(async ([tls, message]) => {
        await expect(write(await open(tls), 'tls/3', 'x')).rejects.toMatchObject({
          code: 'storeUnavailable',
          message: expect.stringMatching(message) as unknown,
        });
      }),
    );
  });

  it('is reached with certificates that were renewed while the store was open', async () => {
    const [cert, key] = [join(dirname(files.ca), 'renewed.crt'), join(dirname(files.ca), 'renewed.key')];
    await copyFile(files.strangerCert, cert);
    await copyFile(files.strangerKey, key);
    const store = await open({ ca: files.ca, cert, key });
    await expect(write(store, 'tls/6', 'x')).rejects.toThrow(/refuses our TLS handshake/);
    // Half of it is there: they do not belong together, and the old ones are still used.
    await copyFile(files.clientCert, cert);
    await expect(write(store, 'tls/6', 'x')).rejects.toThrow(/refuses our TLS handshake/);
    await copyFile(files.clientKey, key);
    await write(store, 'tls/6', 'x');
    expect(await read(store, 'tls/6')).toBe('x');
  });

  it('is not reached with http:, and the error asks for https:', async () => {
    const store = await open(
      {},
      cluster.urls.map((url) => url.replace('https:', 'http:')),
    );
    await expect(write(store, 'tls/5', 'x')).rejects.toThrow(/does it speak TLS\? Then its URL begins with https:/);
  });

  it('is not trusted under an address that its certificate does not name', async () => {
    const { host } = cluster.member(0).spec;
    const elsewhere = host.replace(/\d+$/, '200');
    const proxy = await TcpProxy.listen({ host: elsewhere, port: clientPort }, { host, port: clientPort });
    const store = await open({ ca: files.ca, cert: files.clientCert, key: files.clientKey }, [
      `https://${elsewhere}:${clientPort}`,
    ]);
    await expect(write(store, 'tls/4', 'x')).rejects.toThrow(/does not match certificate's altnames/);
    await proxy.close();
  });

  it('names the file that cannot be read, or is no certificate, or does not belong to the other', async () => {
    const torn = join(dirname(files.ca), 'torn.crt');
    await writeFile(torn, '-----BEGIN CERTIFICATE-----\nnothing\n-----END CERTIFICATE-----\n');
    await expect(open({ ca: '/none/ca.crt' })).rejects.toMatchObject({
      code: 'clusterFile',
      message: expect.stringContaining('/none/ca.crt') as unknown,
    });
    await expect(open({ ca: torn })).rejects.toThrow(torn);
    await expect(open({ cert: files.clientCert })).rejects.toThrow(/both cert and key/);
    await expect(open({ cert: files.clientCert, key: files.serverKey })).rejects.toThrow(/of no use together/);
  });
});
