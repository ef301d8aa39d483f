/** All endpoints of one etcd, and which of them is asked: always the same one, until it fails; then the next. */
import { setMaxListeners } from 'node:events';
import { NshError } from '../../protocol/errors.ts';
import { storeClosed } from '../errors.ts';
import { Endpoint } from './endpoint.ts';
import { CredentialFiles, type EtcdTls } from './credentials.ts';
import { Login, type EtcdLogin } from './login.ts';
import { parseEtcdUrl } from './etcd-url.ts';
import { RaftTerm } from './raft-term.ts';

export interface EtcdOptions {
  /** One or several, of the same cluster: `http://HOST:PORT` or `https://HOST:PORT`. */
  readonly urls: readonly string[];
  readonly tls?: EtcdTls;
  /** Where etcd asks for users. Default: a client certificate may tell who it is, or nothing does. */
  readonly login?: EtcdLogin;
  /** What all keys begin with that are asked for: roles of etcd may permit nothing beyond it. Default: ''. */
  readonly prefix?: string;
}

export class Endpoints {
  readonly all: readonly Endpoint[];
  /** Fires when the store is closed. */
  readonly closing = new AbortController();
  readonly login: Login | undefined;
  readonly prefix: string;
  readonly #make: (url: URL) => Endpoint;
  #current: number;
  readonly #term = new RaftTerm();

  private constructor(
    urls: readonly URL[],
    make: (url: URL) => Endpoint,
    { login, prefix }: { readonly login: Login | undefined; readonly prefix: string },
  ) {
    // One listener for each call that is under way, and there is no bound to those.
    setMaxListeners(0, this.closing.signal);
    this.#make = make;
    this.login = login;
    this.prefix = prefix;
    this.all = urls.map((url) => make(url));
    // So that the clients of a cluster do not all ask the same member.
    this.#current = Math.floor(Math.random() * this.all.length);
  }

  /** Connects to nobody yet. @throws NshError `clusterFile` */
  static async open({ urls, tls = {}, login: who, prefix = '' }: EtcdOptions): Promise<Endpoints> {
    const parsed = [...new Map(urls.map((text) => [parseEtcdUrl(text).origin, parseEtcdUrl(text)])).values()];
    if (parsed.length === 0) throw new NshError('clusterFile', 'the store names no etcd: give the URL of one at least');
    const files = await CredentialFiles.read(tls);
    const login = who === undefined ? undefined : await Login.open(who);
    return new Endpoints(parsed, (url) => new Endpoint(url, files, () => login?.token), { login, prefix });
  }

  get urls(): string[] {
    return this.all.map(({ url }) => url);
  }

  /** One that nobody has: to ask for what every answer tells. */
  get probeKey(): string {
    return `${this.prefix}\0`;
  }

  get current(): Endpoint {
    const endpoint = this.all[this.#current];
    if (endpoint === undefined) throw new Error('an etcd without endpoints');
    return endpoint;
  }

  /** One beside `all`, with the same certificates; who asks closes it. @throws NshError `clusterFile` */
  another(url: string): Endpoint {
    return this.#make(parseEtcdUrl(url));
  }

  /** The next one from now on, unless another call has left this one already. */
  leave(endpoint: Endpoint): void {
    if (endpoint === this.current) this.#current = (this.#current + 1) % this.all.length;
  }

  /** For each answer. False: it comes from a member that has not heard of the present leader yet. */
  noteTerm(term: bigint): boolean {
    return this.#term.note(term, performance.now());
  }

  close(): void {
    this.closing.abort(storeClosed());
    for (const endpoint of this.all) endpoint.close();
  }
}
