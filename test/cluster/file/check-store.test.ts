import { describe, expect, it } from 'vitest';
import { parseClusterFile } from '../../../src/cluster/file/index.ts';
import { keyPrefix, storeOf, type StoreSpec } from '../../../src/cluster/store-spec.ts';
import { NshError } from '../../../src/protocol/errors.ts';

const paths = { path: '/etc/nsh/lab.yaml', env: { HOME: '/home/me' } };
const file = (store: string): string =>
  `cluster: lab\nstore: ${store}\nnodes: [{id: 7, name: db1}, {ids: '3,4', name: 'web[1-2]'}]\n`;

async function parse(store: string): Promise<StoreSpec> {
  return storeOf(await parseClusterFile(file(store), paths));
}

async function faults(store: string): Promise<string> {
  try {
    await parse(store);
  } catch (error) {
    if (error instanceof NshError && error.code === 'clusterFile') return error.message;
    throw error;
  }
  return 'none';
}

describe('the store of a cluster file', () => {
  it('is embedded on the node with the lowest id where nothing is said', async () => {
    const spec = await parseClusterFile('cluster: lab\nnodes: [{id: 7, name: db1}, {id: 3, name: web1}]\n', paths);
    expect(storeOf(spec)).toEqual({ backend: 'embedded', node: 3 });
    expect(storeOf({ nodes: [{ id: 0 as never, name: 'localhost', labels: [] }] })).toMatchObject({ node: 0 });
  });

  it('asks for a user with a password from a file, over https: or on this machine', async () => {
    expect(await parse('{etcd: ["https://a"], passwordFile: ~/secret, login: "ann b"}')).toEqual({
      backend: 'etcd',
      endpoints: ['https://a:2379'],
      passwordFile: '/home/me/secret',
      login: 'ann b',
    });
    for (const host of ['127.0.0.1', 'localhost', '[::1]'])
      expect(await parse(`{etcd: ["http://${host}"], passwordFile: p}`)).toMatchObject({ passwordFile: '/etc/nsh/p' });
  });

  it('is embedded on the node that is named, or given by its id', async () => {
    expect(await parse('{embedded: web2}')).toEqual({ backend: 'embedded', node: 4 });
    expect(await parse('{embedded: 7}')).toEqual({ backend: 'embedded', node: 7 });
  });

  it('is the etcd at the URLs, with files that begin at the directory of the cluster file', async () => {
    const text =
      '{etcd: ["https://a:2379", "https://[::1]:4001/", "https://b", "https://c:443"], ca: pki/ca.pem, cert: ~/c.pem, key: /k.pem, namespace: prod-1, user: deploy}';
    const store = await parse(text);
    expect(store).toEqual({
      backend: 'etcd',
      endpoints: ['https://a:2379', 'https://[::1]:4001', 'https://b:2379', 'https://c:443'],
      ca: '/etc/nsh/pki/ca.pem',
      cert: '/home/me/c.pem',
      key: '/k.pem',
      namespace: 'prod-1',
      user: 'deploy',
    });
    expect(store.backend === 'etcd' && keyPrefix(store, 'lab', 'me')).toBe('nsh/prod-1/deploy/');
    expect(keyPrefix({ backend: 'etcd', endpoints: [] }, 'lab', 'me')).toBe('nsh/lab/me/');
    expect(keyPrefix({ backend: 'etcd', endpoints: [] }, 'lab', 'me/kv')).toBe('nsh/lab/me%2Fkv/');
  });

  it.each([
    ['web1', '2:8: store must be a map such as {embedded: web1} or {etcd: [https://etcd1:2379]}, not text'],
    ['{}', '2:8: store must be a map such as'],
    ['{embeded: web1}', "2:9: unknown key 'embeded' of store; did you mean 'embedded'?"],
    ['{embedded: web1, etcd: ["http://a"]}', "2:9: store has 'etcd' and 'embedded': one of them"],
    ['{embedded: web9}', "2:19: embedded must be a node of this file, not 'web9'"],
    ['{embedded: [web1]}', '2:19: embedded must be the name or id of a node, not a list'],
    ['{embedded: web1, ca: x}', '2:25: ca goes with etcd, not with the embedded store'],
    ['{embedded: web1, ca: x}', 'ca goes with etcd'],
    ['{etcd: "http://a"}', '2:15: etcd must be a list of URLs such as [https://etcd1:2379], not text'],
    ['{etcd: []}', '2:15: etcd must be a list of URLs; this one is empty'],
    ['{etcd: [a:2379]}', "2:16: etcd must list URLs such as https://etcd1:2379, without a path, not 'a:2379'"],
    ['{etcd: [7]}', '2:16: etcd must list URLs such as https://etcd1:2379, without a path, not the number 7'],
    ['{etcd: ["http://a/x"]}', 'without a path'],
    ['{etcd: ["http://me:pw@a"]}', '2:16: a URL of an etcd holds no user and password: name a passwordFile'],
    ['{etcd: ["https://a"], login: ann}', '2:30: login needs passwordFile'],
    ['{etcd: ["http://a"], passwordFile: p}', '2:29: passwordFile is for https: URLs'],
    ['{etcd: ["http://127.0.0.1.example.com"], passwordFile: p}', 'passwordFile is for https: URLs'],
    ['{embedded: web1, passwordFile: p}', '2:25: passwordFile goes with etcd, not with the embedded store'],
    ['{etcd: ["http://a", "https://b"]}', '2:28: the URLs of one etcd are all http: or all https:'],
    ['{etcd: ["https://a"], cert: c}', '2:30: cert needs key: a certificate and its private key'],
    ['{etcd: ["https://a"], key: c}', '2:30: key needs cert'],
    ['{etcd: ["http://a"], ca: c}', '2:29: ca is for https: URLs, and etcd has http: ones'],
    ['{etcd: ["http://a"], namespace: a/b}', "namespace must be 1 to 64 letters, digits, '-', '_' and '.', not 'a/b'"],
  ])('is refused, with its place: %s', async (store, message) => {
    const told = await faults(store);
    expect(told.replaceAll(`${paths.path}:`, '')).toContain(message);
  });
});
