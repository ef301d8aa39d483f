/**
 * The SSH server of one demo node: loopback only, one user, one key made for this demo, and no other way in. It serves what
 * a link of nsh asks of an ordinary sshd: exec and forwarding to Unix sockets (`direct-streamlocal@openssh.com`).
 * Terminals, shells, sftp and TCP forwarding are refused.
 */
import { createServer, type AddressInfo } from 'node:net';
import ssh2 from 'ssh2';
import type { AuthContext, Connection, ParsedKey, Server } from 'ssh2';
import { serveExec } from './exec-channel.ts';
import { makeKeys } from './keys.ts';
import { serveSocket } from './socket-channel.ts';

export interface SshServerOptions {
  /** The only user who may log in. */
  readonly user: string;
  /** The only key that opens it, as a line of authorized_keys. */
  readonly authorizedKey: string;
  /** Environment of every command. */
  readonly env: Readonly<Record<string, string>>;
  /** Working directory of every command. */
  readonly home: string;
}

export interface SshServer {
  readonly port: number;
  /** As in known_hosts: `ssh-ed25519 AAAA…`. */
  readonly hostKey: string;
  close(): void;
}

export async function startSshServer(options: SshServerOptions): Promise<SshServer> {
  const hostKey = makeKeys();
  const allowed = parsePublicKey(options.authorizedKey);
  const server: Server = new ssh2.Server({ hostKeys: [hostKey.private] });
  const connections = new Set<Connection>();
  server.on('connection', (connection: Connection, { ip, port }) => {
    connections.add(connection);
    connection.on('close', () => connections.delete(connection));
    const { port: ownPort } = listener.address() as AddressInfo;
    const env = { ...options.env, SSH_CONNECTION: `${ip} ${port} 127.0.0.1 ${ownPort}` };
    serveConnection(connection, allowed, { ...options, env });
  });
  const listener = createServer({ noDelay: true }, (socket) => server.injectSocket(socket));
  await new Promise<void>((resolve, reject) => {
    listener.once('error', reject);
    listener.listen(0, '127.0.0.1', resolve);
  });
  return {
    port: (listener.address() as AddressInfo).port,
    hostKey: hostKey.public,
    close: () => {
      listener.close();
      for (const connection of connections) connection.end();
    },
  };
}

function serveConnection(connection: Connection, allowed: ParsedKey, options: SshServerOptions): void {
  connection.on('error', () => {
    // The other end broke off; `close` follows and everything of this connection goes with it.
  });
  connection.on('authentication', (context) => {
    if (maySignIn(context, allowed, options.user)) context.accept();
    else context.reject(['publickey']);
  });
  connection.on('ready', () => {
    connection.on('session', (acceptSession) => {
      const session = acceptSession();
      session.on('exec', (accept, _reject, { command }) => serveExec(accept(), command, options));
    });
    connection.on('openssh.streamlocal', (accept, reject, { socketPath }) => serveSocket(accept, reject, socketPath));
  });
}

/** Without a signature the client only asks whether the key would do (RFC 4252, section 7). */
function maySignIn(context: AuthContext, allowed: ParsedKey, user: string): boolean {
  if (context.method !== 'publickey' || context.username !== user) return false;
  if (!allowed.getPublicSSH().equals(context.key.data)) return false;
  if (context.signature === undefined || context.blob === undefined) return true;
  // ssh2 returns an Error where the signature cannot even be read: only `true` will do.
  const verified: unknown = allowed.verify(context.blob, context.signature, context.hashAlgo);
  return verified === true;
}

function parsePublicKey(line: string): ParsedKey {
  const key = ssh2.utils.parseKey(line);
  if (key instanceof Error) throw key;
  return key;
}
