/** Where etcd is and how its connections are secured: checks URLs, reads certificates, and says which file is wrong. */
import { X509Certificate } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { createSecureContext, checkServerIdentity } from 'node:tls';
import { credentials, type ChannelCredentials } from '@grpc/grpc-js';
import { NshError } from '../../protocol/errors.ts';

/** Files in PEM. */
export interface EtcdTls {
  /** Authorities to trust instead of the system's. */
  readonly ca?: string;
  /** Of this client, with `key`. */
  readonly cert?: string;
  readonly key?: string;
}

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

/** @throws NshError `clusterFile` that names the file that cannot be read or used */
export async function readCredentials({ ca, cert, key }: EtcdTls): Promise<(url: URL) => ChannelCredentials> {
  if ((cert === undefined) !== (key === undefined))
    throw new NshError('clusterFile', 'the store needs both cert and key, or neither of them');
  const [authority, certificate, privateKey] = [
    await readPem('ca', ca),
    await readPem('cert', cert),
    await readPem('key', key),
  ];
  try {
    createSecureContext({ cert: certificate, key: privateKey });
  } catch (error) {
    throw unusable(`the store's cert ${cert} and key ${key} are of no use together`, error);
  }
  return (url) => {
    if (url.protocol === 'http:') return credentials.createInsecure();
    const host = hostOf(url);
    return credentials.createSsl(authority ?? null, privateKey ?? null, certificate ?? null, {
      checkServerIdentity: (_name, peer) => checkServerIdentity(host, peer),
    });
  };
}

async function readPem(what: keyof EtcdTls, path: string | undefined): Promise<Buffer | undefined> {
  if (path === undefined) return undefined;
  try {
    const text = await readFile(path);
    if (what !== 'key') assertCertificates(text);
    return text;
  } catch (error) {
    throw unusable(`the store's ${what} ${path} cannot be used`, error);
  }
}

/** TLS itself would pass over what is no certificate, and trust nobody then. @throws Error */
function assertCertificates(pem: Buffer): void {
  const blocks = /-----BEGIN CERTIFICATE-----[^-]*-----END CERTIFICATE-----/g;
  const found = [...pem.toString('latin1').matchAll(blocks)].map(([block]) => new X509Certificate(block));
  if (found.length === 0) throw new Error('it holds no certificate in PEM');
}

function unusable(what: string, cause: unknown): NshError {
  return new NshError('clusterFile', `${what}: ${cause instanceof Error ? cause.message : String(cause)}`, { cause });
}
