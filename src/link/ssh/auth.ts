/**
 * In which order the ways to log in are tried: as OpenSSH's client does (ssh(1), AUTHENTICATION), with the questions carried to the person.
 * A state machine driven by ssh2: each failure asks for the next attempt.
 */
import type { AnyAuthMethod, AuthHandlerMiddleware, Prompt } from 'ssh2';
import { NshError } from '../../protocol/errors.ts';
import { printable } from '../printable.ts';
import type { KeyAgent } from './key-agent.ts';
import type { Asker } from './prompt.ts';
import type { AuthMethod, SshSettings } from './settings.ts';

export interface Auth {
  readonly handler: AuthHandlerMiddleware;
  /** Why the login failed, for people: what the host accepts, what was tried, what to do. */
  failure(): NshError;
}

/** ssh2 takes `false` for "nothing left to try", which its types leave out. */
type Next = (attempt: AnyAuthMethod | false) => void;

export interface AuthOptions {
  /** Node or jump host, for messages. */
  readonly label: string;
  readonly settings: SshSettings;
  readonly asker: Asker;
  readonly keys: KeyAgent;
  /** The person has declined: the login ends. */
  readonly onFatal: (error: unknown) => void;
}

export function makeAuth(options: AuthOptions): Auth {
  const { settings, asker, keys, label } = options;
  const username = settings.user;
  const left: Record<AuthMethod, number> = {
    publickey: 1,
    'keyboard-interactive': settings.passwordPrompts,
    password: settings.passwordPrompts,
  };
  const tried = new Set<AuthMethod>();
  let accepted: readonly string[] = [];
  let isStale = false;

  const attempt = (method: AuthMethod): Promise<AnyAuthMethod> => {
    left[method] -= 1;
    tried.add(method);
    if (method === 'publickey') return Promise.resolve({ type: 'agent', username, agent: keys });
    if (method === 'password') return passwordAttempt(options);
    return Promise.resolve({ type: 'keyboard-interactive', username, prompt: answerPrompts(options) });
  };

  const handler = (methodsLeft: readonly string[] | null, partial: boolean | null, next: Next): void => {
    // The first call comes before the host has said what it accepts: `none` asks it. And after keys ssh2 tells what was accepted
    // before them, although a key may have been the first of two factors: ask again.
    if (methodsLeft === null || isStale) {
      isStale = false;
      next({ type: 'none', username });
      return;
    }
    accepted = methodsLeft;
    // One factor has passed: what is wanted now may be a method that was tried before.
    if (partial === true) for (const method of settings.authMethods) left[method] = Math.max(1, left[method]);
    const usable = (method: AuthMethod): boolean =>
      methodsLeft.includes(method) && left[method] > 0 && (method === 'publickey' || asker.canAsk);
    const method = settings.authMethods.find(usable);
    if (method === undefined) {
      next(false);
      return;
    }
    isStale = method === 'publickey';
    attempt(method).then(next, (error: unknown) => {
      options.onFatal(error);
      next(false);
    });
  };

  return {
    handler: handler as unknown as AuthHandlerMiddleware,
    failure() {
      const { offered, passedOver } = keys.notes;
      const used = [...tried].map((method) =>
        method === 'publickey' ? `publickey (${offered.join(', ') || 'no key found'})` : method,
      );
      const facts = [
        `the host accepts ${accepted.map((method) => printable(method, 60)).join(', ') || 'no way to log in'}`,
        `tried: ${used.join(', ') || 'nothing'}`,
        ...passedOver,
        ...settings.certificateFiles.map(
          (file) => `the certificate ${file} is not used, which only "transport: openssh" can do`,
        ),
      ];
      return new NshError(
        'authFailed',
        `${label}: login as ${username} failed: ${facts.join('; ')}. ${advice(options, accepted)}`,
        {
          data: { accepted: [...accepted], tried: [...tried] },
        },
      );
    },
  };
}

function advice({ settings, asker }: AuthOptions, accepted: readonly string[]): string {
  const asks = accepted.includes('password') || accepted.includes('keyboard-interactive');
  if (asks && !asker.canAsk && settings.batchMode) return 'BatchMode forbids to ask for a password';
  if (asks && !asker.canAsk) return 'There is no terminal to ask for a password: run it from one, or use a key';
  return `Check that "${settings.loginCommand}" works from here, or name the key with IdentityFile in ssh_config or identityFile in the cluster file`;
}

async function passwordAttempt({ settings, asker }: AuthOptions): Promise<AnyAuthMethod> {
  const text = `${settings.user}@${settings.hostName}'s password: `;
  return { type: 'password', username: settings.user, password: await asker.ask('password', text, false) };
}

/** One round of questions; a host may ask several rounds for one attempt. */
function answerPrompts({ asker, settings, onFatal }: AuthOptions) {
  return (
    name: string,
    instructions: string,
    _language: string,
    prompts: Prompt[],
    finish: (answers: string[]) => void,
  ): void => {
    const ask = async (): Promise<void> => {
      const answers: string[] = [];
      const head = [name, instructions]
        .filter((line) => line.trim() !== '')
        .map((line) => `${line}\n`)
        .join('');
      for (const [index, { prompt, echo }] of prompts.entries()) {
        // Who asks is said each time, so that a host cannot pretend to be another one.
        const text = `${index === 0 ? head : ''}(${settings.user}@${settings.hostName}) ${prompt}`;
        answers.push(await asker.ask('keyboard-interactive', text, echo === true));
      }
      finish(answers);
    };
    ask().catch(onFatal);
  };
}
