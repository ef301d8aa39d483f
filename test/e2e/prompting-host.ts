/** An SSH server that lets nobody in and asks what it likes: a hostile host, as far as a login shows it. */
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import ssh2 from 'ssh2';
import { makeKeyPair } from '../hosts/keys.ts';

export interface PromptingHost {
  readonly port: number;
  /** Public host key, `ssh-ed25519 BASE64`. */
  readonly hostKey: string;
  /** What it was answered. */
  readonly answers: readonly string[];
  close(): Promise<void>;
}

export interface HostQuestions {
  readonly title: string;
  readonly instructions: string;
  readonly prompt: string;
  /** Ways to log in that it names when it refuses one. */
  readonly methods: readonly string[];
}

export async function startPromptingHost(questions: HostQuestions): Promise<PromptingHost> {
  const key = makeKeyPair();
  const answers: string[] = [];
  const server = new ssh2.Server({ hostKeys: [key.privateKey], ident: 'test' }, (client) => {
    // Whoever declines goes away without a word.
    client.on('error', () => undefined);
    client.on('authentication', (attempt) => {
      // The types know only the methods that there are.
      const methods = [...questions.methods] as Parameters<typeof attempt.reject>[0];
      if (attempt.method !== 'keyboard-interactive') return attempt.reject(methods);
      const { prompt, title, instructions } = questions;
      attempt.prompt([{ prompt, echo: false }], title, instructions, (given) => {
        answers.push(...given);
        attempt.reject(methods);
      });
    });
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    port: (server.address() as AddressInfo).port,
    hostKey: key.publicKey,
    answers,
    close: () => new Promise((resolve) => void server.close(() => resolve())),
  };
}
