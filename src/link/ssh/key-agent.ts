/**
 * All keys that a login may try, as one agent in ssh2's sense: ssh2 offers their public halves in order, and only for a key that the
 * host accepts is a signature wanted, from the person's ssh-agent or from a file. So a passphrase is asked only for a key that counts.
 */
import ssh2 from 'ssh2';
import type { BaseAgent, IdentityCallback, ParsedKey, SignCallback, SigningRequestOptions } from 'ssh2';
import { KeyUnusable, readIdentityFile, type IdentityFile, type PassphraseSource } from './identity-file.ts';
import type { SshSettings } from './settings.ts';

export interface KeyAgentOptions {
  readonly settings: SshSettings;
  readonly sshAuthSock: string | undefined;
  readonly passphrases: PassphraseSource;
  /** The person has declined: the login ends. */
  readonly onFatal: (error: unknown) => void;
}

export interface KeyNotes {
  /** Keys that were offered: `~/.ssh/id_ed25519`, `agent key COMMENT`. */
  readonly offered: string[];
  /** Why keys were passed over. */
  readonly passedOver: string[];
}

interface Candidate {
  readonly label: string;
  readonly publicKey: ParsedKey;
  readonly sign: (data: Buffer, options: SigningRequestOptions) => Promise<Buffer>;
}

export class KeyAgent extends ssh2.BaseAgent<ParsedKey> {
  readonly notes: KeyNotes = { offered: [], passedOver: [] };
  readonly #options: KeyAgentOptions;
  #candidates: readonly Candidate[] = [];

  constructor(options: KeyAgentOptions) {
    super();
    this.#options = options;
  }

  override getIdentities(callback: IdentityCallback<ParsedKey>): void {
    this.#collect().then(
      (candidates) => {
        this.#candidates = candidates;
        this.notes.offered.push(...candidates.map(({ label }) => label));
        callback(
          null,
          candidates.map(({ publicKey }) => publicKey),
        );
      },
      (error: unknown) => {
        this.#options.onFatal(error);
        callback(error instanceof Error ? error : new Error(String(error)));
      },
    );
  }

  override sign(
    key: ParsedKey,
    data: Buffer,
    options: SigningRequestOptions | SignCallback,
    callback?: SignCallback,
  ): void {
    const done = typeof options === 'function' ? options : callback;
    const request = typeof options === 'function' ? {} : options;
    const candidate = this.#candidates.find(({ publicKey }) => isSameKey(publicKey, key));
    const signing =
      candidate?.sign(data, request) ?? Promise.reject(new Error('a signature by a key that was not offered'));
    signing.then(
      (signature) => done?.(null, signature),
      (error: unknown) => {
        if (error instanceof KeyUnusable) this.notes.passedOver.push(error.message);
        else if (candidate?.label.startsWith('agent key') === true)
          this.notes.passedOver.push(`${candidate.label}: the ssh-agent did not sign`);
        else this.#options.onFatal(error);
        done?.(error instanceof Error ? error : new Error(String(error)));
      },
    );
  }

  /** OpenSSH's order: identity files that an agent holds, the agent's other keys (unless IdentitiesOnly), then the files' own. */
  async #collect(): Promise<Candidate[]> {
    const { settings } = this.#options;
    const [agentKeys, files] = await Promise.all([this.#agentKeys(), this.#files()]);
    const inAgent = (file: IdentityFile): Candidate | undefined =>
      agentKeys.find((key) => isSameKey(key.publicKey, file.publicKey));
    const named = files.flatMap((file) => inAgent(file) ?? []);
    const others = settings.identitiesOnly ? [] : agentKeys.filter((key) => !named.includes(key));
    const own = files.flatMap((file) => (inAgent(file) === undefined ? (fileCandidate(file) ?? []) : []));
    return [...new Set([...named, ...others, ...own])];
  }

  async #files(): Promise<IdentityFile[]> {
    const found: IdentityFile[] = [];
    for (const path of this.#options.settings.identityFiles) {
      const file = await readIdentityFile(path, this.#options.passphrases).catch((error: unknown) => {
        if (error instanceof KeyUnusable) return error.message;
        throw error;
      });
      if (typeof file === 'string') this.notes.passedOver.push(file);
      else if (file !== undefined) found.push(file);
    }
    return found;
  }

  async #agentKeys(): Promise<Candidate[]> {
    const { identityAgent } = this.#options.settings;
    const path = identityAgent ?? this.#options.sshAuthSock;
    if (path === undefined || path === 'none' || path === '') return [];
    const agent: BaseAgent = ssh2.createAgent(path);
    try {
      const keys = await new Promise<readonly ParsedKey[]>((resolve, reject) => {
        agent.getIdentities((error, found) => (error ? reject(error) : resolve((found ?? []) as ParsedKey[])));
      });
      return keys.map((key) => agentCandidate(agent, key));
    } catch {
      this.notes.passedOver.push(`the ssh-agent at ${path} does not answer`);
      return [];
    }
  }
}

function agentCandidate(agent: BaseAgent, publicKey: ParsedKey): Candidate {
  return {
    label: `agent key ${publicKey.comment || publicKey.type}`,
    publicKey,
    sign: (data, options) =>
      new Promise((resolve, reject) => {
        agent.sign(publicKey, data, options, (error, signature) => {
          if (error || signature === undefined) reject(error ?? new Error('no signature'));
          else resolve(signature);
        });
      }),
  };
}

function fileCandidate(file: IdentityFile): Candidate | undefined {
  const { privateKey } = file;
  if (privateKey === undefined) return undefined;
  return {
    label: file.path,
    publicKey: file.publicKey,
    sign: async (data, options) => {
      const key = await privateKey();
      const signature: Buffer | Error = key.sign(data, options.hash);
      if (signature instanceof Error) throw new KeyUnusable(`${file.path}: ${signature.message}`);
      return signature;
    },
  };
}

function isSameKey(one: ParsedKey, other: ParsedKey): boolean {
  return one.getPublicSSH().equals(other.getPublicSSH());
}
