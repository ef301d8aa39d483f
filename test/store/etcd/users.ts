/**
 * Users, roles and authentication of a real etcd, set up by its JSON gateway, so that nothing under test takes part
 * (https://etcd.io/docs/v3.5/op-guide/authentication/rbac/).
 */
import { writeFile } from 'node:fs/promises';

export const rootPassword = 'root-secret';

/** An administrator of an etcd without TLS, whose first user it makes. */
export class EtcdUsers {
  readonly #url: string;

  /** Every call is for nobody but users from now on. */
  static async enable(url: string): Promise<EtcdUsers> {
    const users = new EtcdUsers(url);
    await users.#post('auth/user/add', { name: 'root', password: rootPassword });
    await users.#post('auth/role/add', { name: 'root' });
    await users.#post('auth/user/grant', { user: 'root', role: 'root' });
    await users.#post('auth/enable', {});
    return users;
  }

  private constructor(url: string) {
    this.#url = url;
  }

  /** A user and its role, which may read and write what begins with `prefix`. */
  async add(name: string, password: string, prefix: string): Promise<void> {
    await this.#asRoot('auth/user/add', { name, password });
    await this.#asRoot('auth/role/add', { name });
    await this.grant(name, prefix);
    await this.#asRoot('auth/user/grant', { user: name, role: name });
  }

  async grant(role: string, prefix: string): Promise<void> {
    const end = Buffer.from(prefix);
    end[end.length - 1] = (end.at(-1) ?? 0) + 1;
    const perm = { permType: 2, key: Buffer.from(prefix).toString('base64'), range_end: end.toString('base64') };
    await this.#asRoot('auth/role/grant', { name: role, perm });
  }

  async changePassword(name: string, password: string): Promise<void> {
    await this.#asRoot('auth/user/changepw', { name, password });
  }

  async #asRoot(path: string, body: object): Promise<void> {
    const { token } = await this.#post('auth/authenticate', { name: 'root', password: rootPassword });
    await this.#post(path, body, token);
  }

  async #post(path: string, body: object, token?: string): Promise<{ readonly token?: string }> {
    const answer = await fetch(`${this.#url}/v3/${path}`, {
      method: 'POST',
      body: JSON.stringify(body),
      headers: token === undefined ? {} : { authorization: token },
      signal: AbortSignal.timeout(10_000),
    });
    if (!answer.ok) throw new Error(`etcd: ${path}: ${await answer.text()}`);
    return (await answer.json()) as { readonly token?: string };
  }
}

export async function writePassword(path: string, password: string): Promise<string> {
  await writeFile(path, `${password}\n`, { mode: 0o600 });
  return path;
}
