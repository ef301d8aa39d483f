/** Where an etcd is: checks and reads its URLs. Pure. */
import { NshError } from '../../protocol/errors.ts';

/**
 * @param text `http://HOST[:PORT]` or `https://HOST[:PORT]`; the port is 2379 where it is left out
 * @throws NshError `clusterFile`
 */
export function parseEtcdUrl(text: string): URL {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  const isWhole =
    url !== undefined &&
    ['http:', 'https:'].includes(url.protocol) &&
    url.hostname !== '' &&
    [url.username, url.password, url.search, url.hash].every((part) => part === '') &&
    url.pathname === '/';
  if (!isWhole) {
    const what = JSON.stringify(text);
    throw new NshError('clusterFile', `${what} is no URL of an etcd: write http://HOST:PORT or https://HOST:PORT`);
  }
  // A URL leaves out the port that its protocol has by default, which for https is not etcd's.
  if (url.port === '' && !/:(?:80|443)\/?$/.test(text)) url.port = '2379';
  return url;
}

/** With the port, as connections need it. */
export function authorityOf(url: URL): string {
  return url.port === '' ? `${url.hostname}:${url.protocol === 'https:' ? 443 : 80}` : url.host;
}

/** An IPv6 address without its brackets. */
export function hostOf(url: URL): string {
  return url.hostname.replace(/^\[(.*)\]$/, '$1');
}
