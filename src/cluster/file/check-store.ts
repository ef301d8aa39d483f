/** The key `store:` of a cluster file: an etcd, or the node that holds the embedded store. */
import { suggestNear } from '../../ids/near.ts';
import { quoteText } from '../../ids/quote-text.ts';
import type { NodeSpec } from '../node-spec.ts';
import type { EtcdSpec, StoreSpec } from '../store-spec.ts';
import { Fields } from './fields.ts';
import { resolvePath, type PathContext } from './file-paths.ts';
import type { Problems } from './problems.ts';
import { describeTree, type Tree } from './tree.ts';

const etcdKeys = ['ca', 'cert', 'key', 'passwordFile', 'login', 'namespace', 'user'] as const;
const storeKeys = ['etcd', 'embedded', ...etcdKeys] as const;
const form = 'a map such as {embedded: web1} or {etcd: [https://etcd1:2379]}';
/** No `/`, which would let one namespace lie within another. */
const namespaceForm = /^[A-Za-z0-9_.-]{1,64}$/;

export function checkStore(
  tree: Tree,
  nodes: readonly NodeSpec[],
  paths: PathContext,
  problems: Problems,
): StoreSpec | undefined {
  if (tree.kind !== 'map') {
    problems.add(tree.at, `store must be ${form}, not ${describeTree(tree)}`);
    return undefined;
  }
  const fields = new Fields(tree, storeKeys, 'of store', problems);
  if (fields.has('etcd') === fields.has('embedded')) {
    const both = fields.has('etcd');
    problems.add(
      both ? fields.keyAt('embedded') : fields.at,
      both ? "store has 'etcd' and 'embedded': one of them" : `store must be ${form}`,
    );
    return undefined;
  }
  if (fields.has('etcd')) return checkEtcd(fields, paths, problems);
  for (const key of etcdKeys)
    if (fields.has(key)) problems.add(fields.keyAt(key), `${key} goes with etcd, not with the embedded store`);
  return checkEmbedded(fields, nodes, problems);
}

function checkEmbedded(fields: Fields, nodes: readonly NodeSpec[], problems: Problems): StoreSpec | undefined {
  const word = fields.word('embedded', 'the name or id of a node');
  if (word === undefined) return undefined;
  const node = nodes.find(({ id, name }) => name === word.text || String(id) === word.text);
  if (node !== undefined) return { backend: 'embedded', node: node.id };
  const hint = suggestNear(
    word.text,
    nodes.map(({ name }) => name),
  );
  problems.add(word.at, `embedded must be a node of this file, not ${quoteText(word.text)}${hint}`);
  return undefined;
}

function checkEtcd(fields: Fields, paths: PathContext, problems: Problems): StoreSpec {
  const endpoints = readEndpoints(fields, problems);
  const path = (key: 'ca' | 'cert' | 'key' | 'passwordFile'): string | undefined =>
    resolvePath(fields.text(key, 'a path', /^[^\0\n]+$/), key, paths, problems);
  const files = { ca: path('ca'), cert: path('cert'), key: path('key') };
  for (const [one, other] of [
    ['cert', 'key'],
    ['key', 'cert'],
  ] as const) {
    if (fields.has(one) && !fields.has(other))
      problems.add(fields.keyAt(one), `${one} needs ${other}: a certificate and its private key`);
  }
  for (const key of ['ca', 'cert', 'key'] as const) {
    if (fields.has(key) && endpoints.some((url) => url.startsWith('http:')))
      problems.add(fields.keyAt(key), `${key} is for https: URLs, and etcd has http: ones`);
  }
  const word = (key: 'namespace' | 'user'): string | undefined =>
    fields.text(key, "1 to 64 letters, digits, '-', '_' and '.'", namespaceForm)?.text;
  const all = {
    ...files,
    ...checkLogin(fields, endpoints, problems),
    passwordFile: path('passwordFile'),
    namespace: word('namespace'),
    user: word('user'),
  };
  const given = Object.fromEntries(Object.entries(all).filter(([, value]) => value !== undefined));
  return { backend: 'etcd', endpoints, ...(given as Omit<EtcdSpec, 'backend' | 'endpoints'>) };
}

/** A password goes over the network as it is where nothing encrypts it. */
function checkLogin(fields: Fields, endpoints: readonly string[], problems: Problems): { readonly login?: string } {
  const login = fields.text('login', 'the name of a user of etcd', /^[^\p{Cc}]{1,255}$/u)?.text;
  if (fields.has('login') && !fields.has('passwordFile'))
    problems.add(fields.keyAt('login'), 'login needs passwordFile: the path of a file with the password');
  if (fields.has('passwordFile') && endpoints.some((url) => url.startsWith('http:') && !isOnThisMachine(url)))
    problems.add(
      fields.keyAt('passwordFile'),
      'passwordFile is for https: URLs, and for http: ones of this machine alone: others could read the password on its way',
    );
  return login === undefined ? {} : { login };
}

function isOnThisMachine(url: string): boolean {
  const { hostname } = new URL(url);
  return hostname === 'localhost' || hostname === '[::1]' || /^127\.\d+\.\d+\.\d+$/.test(hostname);
}

function readEndpoints(fields: Fields, problems: Problems): string[] {
  const list = fields.list('etcd', 'a list of URLs such as [https://etcd1:2379]');
  if (list === undefined) return [];
  if (list.items.length === 0) problems.add(list.at, 'etcd must be a list of URLs; this one is empty');
  const endpoints: string[] = [];
  for (const item of list.items) {
    const text = item.kind === 'scalar' && typeof item.value === 'string' ? item.value : undefined;
    const url = text === undefined ? undefined : readUrl(text);
    if (text !== undefined && hasCredentials(text)) {
      // Not quoted: the message may go into a log.
      problems.add(item.at, 'a URL of an etcd holds no user and password: name a passwordFile');
    } else if (url === undefined) {
      const found = text === undefined ? describeTree(item) : quoteText(text);
      problems.add(item.at, `etcd must list URLs such as https://etcd1:2379, without a path, not ${found}`);
    } else if (endpoints.length > 0 && !endpoints[0]?.startsWith(url.slice(0, url.indexOf('/')))) {
      problems.add(item.at, 'the URLs of one etcd are all http: or all https:');
    } else endpoints.push(url);
  }
  return endpoints;
}

function hasCredentials(text: string): boolean {
  return URL.canParse(text) && (new URL(text).username !== '' || new URL(text).password !== '');
}

function readUrl(text: string): string | undefined {
  if (!URL.canParse(text)) return undefined;
  const { protocol, host, hostname, port, pathname, search, hash, username } = new URL(text);
  const isPlain = pathname === '/' && search === '' && hash === '' && username === '' && hostname !== '';
  if (!isPlain || (protocol !== 'http:' && protocol !== 'https:')) return undefined;
  // A URL leaves out the port that is its protocol's own, which is not etcd's.
  const own = protocol === 'http:' ? '80' : '443';
  return `${protocol}//${port === '' ? `${host}:${/:\d+\/?$/.test(text) ? own : '2379'}` : host}`;
}
