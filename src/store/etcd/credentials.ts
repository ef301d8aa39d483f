/**
 * The certificates of connections to etcd: read from files, which say what is wrong with them, and read again when they have been renewed,
 * since an agent may live longer than its certificate.
 */
import { X509Certificate } from 'node:crypto';
import { readFile, stat } from 'node:fs/promises';
import { checkServerIdentity, createSecureContext } from 'node:tls';
import { credentials, type ChannelCredentials } from '@grpc/grpc-js';
import { NshError } from '../../protocol/errors.ts';
import { hostOf } from './etcd-url.ts';

/** Files in PEM. */
export interface EtcdTls {
  /** Authorities to trust instead of the system's. */
  readonly ca?: string;
  /** Of this client, with `key`. */
  readonly cert?: string;
  readonly key?: string;
}

interface Pem {
  readonly ca: Buffer | undefined;
  readonly cert: Buffer | undefined;
  readonly key: Buffer | undefined;
}

export class CredentialFiles {
  readonly #files: EtcdTls;
  #pem: Pem;
  #stamp: string;

  private constructor(files: EtcdTls, pem: Pem, stamp: string) {
    this.#files = files;
    this.#pem = pem;
    this.#stamp = stamp;
  }

  /** @throws NshError `clusterFile` that names the file that cannot be read or used */
  static async read(files: EtcdTls): Promise<CredentialFiles> {
    const stamp = await stampOf(files);
    return new CredentialFiles(files, await readAll(files), stamp);
  }

  /** Changes with what `for` gives. */
  get stamp(): string {
    return this.#stamp;
  }

  for(url: URL): ChannelCredentials {
    if (url.protocol === 'http:') return credentials.createInsecure();
    const { ca, cert, key } = this.#pem;
    const host = hostOf(url);
    return credentials.createSsl(ca ?? null, key ?? null, cert ?? null, {
      checkServerIdentity: (_name, peer) => checkServerIdentity(host, peer),
    });
  }

  /** Reads them again where they have changed. Half of a renewal is of no use, and left for the next time. */
  async refresh(): Promise<void> {
    const stamp = await stampOf(this.#files);
    if (stamp === this.#stamp) return;
    try {
      this.#pem = await readAll(this.#files);
      this.#stamp = stamp;
    } catch (error) {
      if (!(error instanceof NshError)) throw error;
    }
  }
}

/** Before they are read, so that a change in between is found the next time. */
async function stampOf({ ca, cert, key }: EtcdTls): Promise<string> {
  const stamps = [ca, cert, key].map(async (path) => {
    if (path === undefined) return '';
    const { mtimeMs = 0, size = 0, ino = 0 } = await stat(path).catch((): Partial<Record<string, number>> => ({}));
    return `${mtimeMs} ${size} ${ino}`;
  });
  return (await Promise.all(stamps)).join();
}

async function readAll({ ca, cert, key }: EtcdTls): Promise<Pem> {
  if ((cert === undefined) !== (key === undefined))
    throw new NshError('clusterFile', 'the store needs both cert and key, or neither of them');
  const pem = { ca: await readPem('ca', ca), cert: await readPem('cert', cert), key: await readPem('key', key) };
  try {
    createSecureContext({ cert: pem.cert, key: pem.key });
  } catch (error) {
    throw unusable(`the store's cert ${cert} and key ${key} are of no use together`, error);
  }
  return pem;
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
