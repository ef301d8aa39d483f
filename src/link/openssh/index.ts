/** Links over the `ssh` program, for what ssh2 cannot do: host certificates, GSSAPI, security keys, and whatever a ssh_config says. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { backoffDelayMs, handshakeBackoff } from '../../policy/backoff.ts';
import { NshError } from '../../protocol/errors.ts';
import type { Link, LinkContext } from '../link.ts';
import { destinationSlots } from '../slots.ts';
import { askSsh, sshArguments } from '../ssh/config-source.ts';
import type { Keywords } from '../ssh/settings.ts';
import type { LinkTarget } from '../target.ts';
import { delay, withSignal } from '../wait.ts';
import { serveAskpass, type Askpass } from './askpass.ts';
import { wasDropped } from './errors.ts';
import { MasterFailed, startMaster, type Master } from './master.ts';
import { OpensshLink } from './openssh-link.ts';

const maxAttempts = 12;
/** Longest name for a Unix socket, less what ssh adds to it while it is made. */
const maxDirectoryBytes = 70;

/** @throws NshError: as connectSsh. */
export async function connectOpenssh({ spec, node }: LinkTarget, context: LinkContext): Promise<Link> {
  const host = node.host ?? node.name;
  const query = { configFile: spec.sshConfig, user: node.user, port: node.port, identityFile: node.identityFile };
  const keywords = await askSsh({ ...query, node: node.name, host });
  if (keywords === undefined) {
    throw new NshError(
      'unsupported',
      `${node.name}: "transport: openssh" needs the ssh program, which is not on the PATH`,
    );
  }
  const parent = Buffer.byteLength(tmpdir()) <= maxDirectoryBytes ? tmpdir() : '/tmp';
  const directory = await mkdtemp(join(parent, 'nsh-ssh-'));
  let askpass: Askpass | undefined;
  try {
    const { prompt } = context;
    if (prompt !== undefined) {
      const ask = (kind: Parameters<typeof prompt>[0]['kind'], text: string, echo: boolean): Promise<string> =>
        withSignal(
          prompt({ node: node.name, kind, text: text.slice(-16_000), echo }),
          context.signal,
          `${node.name}: the login`,
        );
      askpass = await serveAskpass(directory, ask);
    }
    const options = [
      ...sshArguments(query),
      ...defaults(keywords),
      ...(askpass === undefined ? ['-o', 'BatchMode=yes'] : []),
    ];
    const env = environment(context, askpass);
    const address = `${one(keywords, 'user')}@${one(keywords, 'hostname')}:${one(keywords, 'port')}`;
    const start = (): Promise<Master> =>
      startMaster({ label: node.name, directory, words: [...options, '--', host], env, signal: context.signal });
    const master = await login(node.name, address, start, context);
    const onClosed = (): void => askpass?.close();
    return new OpensshLink({
      node: node.name,
      address,
      agentCommand: spec.agentCommand,
      directory,
      master,
      options,
      host,
      env,
      onClosed,
    });
  } catch (error) {
    askpass?.close();
    await rm(directory, { recursive: true, force: true });
    throw error;
  }
}

/** Again where sshd had no room (MaxStartups). */
async function login(
  label: string,
  address: string,
  start: () => Promise<Master>,
  context: LinkContext,
): Promise<Master> {
  context.onStage?.('connect');
  const release = await destinationSlots(`openssh ${address}`).acquire(context.signal, `${label}: the login`);
  try {
    for (let attempt = 1; ; attempt += 1) {
      try {
        return await start();
      } catch (error) {
        if (!(error instanceof MasterFailed) || !wasDropped(error.stderr) || attempt === maxAttempts) throw error;
      }
      await delay(backoffDelayMs(attempt, handshakeBackoff, Math.random()), context.signal, `${label}: the login`);
    }
  } finally {
    release();
  }
}

/** What nsh wants where the configuration says nothing: an end to waiting, and word of a host that has gone. */
function defaults(keywords: Keywords): string[] {
  const timeout = one(keywords, 'connecttimeout') === 'none' ? ['-o', 'ConnectTimeout=15'] : [];
  const alive = one(keywords, 'serveraliveinterval') === '0' ? ['-o', 'ServerAliveInterval=15'] : [];
  return [
    ...timeout,
    ...alive,
    '-o',
    'ForwardAgent=no',
    '-o',
    'ForwardX11=no',
    '-o',
    'PermitLocalCommand=no',
    '-o',
    'RemoteCommand=none',
  ];
}

function environment(context: LinkContext, askpass: Askpass | undefined): NodeJS.ProcessEnv {
  const { SSH_AUTH_SOCK: _agent, SSH_ASKPASS: _askpass, DISPLAY: _display, ...env } = process.env;
  const agent = context.sshAuthSock === undefined ? {} : { SSH_AUTH_SOCK: context.sshAuthSock };
  return { ...env, ...agent, ...(askpass?.env ?? { SSH_ASKPASS_REQUIRE: 'never' }) };
}

function one(keywords: Keywords, name: string): string {
  return keywords.get(name)?.[0] ?? '';
}
