/**
 * Being somebody for an etcd that asks for users (https://etcd.io/docs/v3.5/op-guide/authentication/rbac/): a token for name and password,
 * got when it is needed, sent with every call, and got anew when etcd does not know it any more (it has run out, the member was started
 * anew, users or roles were changed). All of that etcd finds out before it does anything.
 */
import { NshError } from '../../protocol/errors.ts';
import { storeUnavailable } from '../errors.ts';
import { AttemptFailed, type Attempt, type Endpoint } from './endpoint.ts';
import { grpcStatus } from './failures.ts';
import { authenticate } from './methods.ts';
import { readPassword } from './password.ts';

export interface EtcdLogin {
  /** etcd's user. */
  readonly name: string;
  /** Absolute path; see password.ts. */
  readonly passwordFile: string;
}

/** The token to use; undefined: etcd asks nobody who he is. */
export interface Pass {
  readonly token: string | undefined;
  /** It was got for this very attempt: another one would fare no better. */
  readonly isNew: boolean;
}

const authenticateMs = 5_000;

export class Login {
  readonly #who: EtcdLogin;
  #token: string | undefined;
  /** etcd has said that it asks for no users. */
  #isOff = false;
  /** One at a time at each endpoint: it costs etcd a tenth of a second. */
  readonly #asked = new Map<Endpoint, Promise<void>>();

  constructor(who: EtcdLogin) {
    this.#who = who;
  }

  /** With the first use the file is read; here, so that what is wrong with it is told at once. @throws NshError `clusterFile` */
  static async open(who: EtcdLogin): Promise<Login> {
    await readPassword(who.passwordFile);
    return new Login(who);
  }

  get name(): string {
    return this.#who.name;
  }

  get passwordFile(): string {
    return this.#who.passwordFile;
  }

  get token(): string | undefined {
    return this.#token;
  }

  get isOff(): boolean {
    return this.#isOff;
  }

  /**
   * @param endpoint one that is connected
   * @throws AttemptFailed (not sent: what was to be done with the token was not done); NshError `storeUnavailable` where the file cannot be used
   */
  async need(endpoint: Endpoint, attempt: Attempt): Promise<Pass> {
    if (this.#token !== undefined || this.#isOff) return { token: this.#token, isNew: false };
    let asked = this.#asked.get(endpoint);
    if (asked === undefined) {
      asked = this.#ask(endpoint).finally(() => this.#asked.delete(endpoint));
      this.#asked.set(endpoint, asked);
    }
    await untilEither(asked, endpoint, attempt);
    return { token: this.#token, isNew: true };
  }

  /** It was refused. One that was got meanwhile stays. */
  drop(token: string | undefined): void {
    if (token !== this.#token) return;
    this.#token = undefined;
    this.#isOff = false;
  }

  async #ask(endpoint: Endpoint): Promise<void> {
    const { name, passwordFile } = this.#who;
    const password = await readPassword(passwordFile).catch((error: unknown) => {
      throw error instanceof NshError ? storeUnavailable(error.message, error) : error;
    });
    const attempt = { deadline: performance.now() + authenticateMs, signal: new AbortController().signal };
    try {
      const { token } = await endpoint.unary(authenticate, { name, password }, attempt);
      this.#token = token;
      this.#isOff = false;
    } catch (error) {
      const failure = endpoint.failureOf(error);
      if (!failure.details.includes('authentication is not enabled')) throw unsent(failure);
      this.#token = undefined;
      this.#isOff = true;
    }
  }
}

/** Without the cause: nothing of the request that gRPC may keep in it goes any further. */
function unsent({ endpoint, code, details }: AttemptFailed): AttemptFailed {
  return new AttemptFailed(endpoint, { code, details, wasSent: false });
}

async function untilEither(work: Promise<void>, endpoint: Endpoint, { deadline, signal }: Attempt): Promise<void> {
  let timer: NodeJS.Timeout | undefined;
  let giveUp: (() => void) | undefined;
  const given = new Promise<never>((_resolve, reject) => {
    const fail = (details: string, code: number): void =>
      reject(new AttemptFailed(endpoint.url, { details, code, wasSent: false }));
    timer = setTimeout(
      () => fail('no answer in time', grpcStatus.deadlineExceeded),
      Math.max(0, deadline - performance.now()),
    );
    giveUp = () => fail('given up', grpcStatus.cancelled);
    signal.addEventListener('abort', giveUp, { once: true });
    if (signal.aborted) giveUp();
  });
  try {
    await Promise.race([work, given]);
  } finally {
    clearTimeout(timer);
    if (giveUp !== undefined) signal.removeEventListener('abort', giveUp);
    // It may fail later, when nobody here waits for it any more.
    work.catch(() => undefined);
  }
}
