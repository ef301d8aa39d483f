/**
 * Questions of the `ssh` program, carried to the person: ssh runs its SSH_ASKPASS program, ours passes the question over a Unix socket
 * in a private directory, and prints the answer. The program is a few lines of its own, so that it needs nothing but Node.
 */
import { once } from 'node:events';
import { createServer, type Server, type Socket } from 'node:net';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { PromptParams } from '../../protocol/control.ts';

export type Ask = (kind: PromptParams['kind'], text: string, echo: boolean) => Promise<string>;

const script = `
const socket = require('node:net').connect(process.env.NSH_ASKPASS_SOCKET);
let answer = '';
socket.on('error', () => process.exit(1));
socket.on('data', (chunk) => { answer += chunk; });
socket.on('end', () => {
  const reply = JSON.parse(answer || '{}');
  if (typeof reply.answer !== 'string') process.exit(1);
  process.stdout.write(reply.answer + '\\n');
});
socket.end(JSON.stringify({ text: process.argv[2] ?? '', hint: process.env.SSH_ASKPASS_PROMPT ?? '' }));
`;

export interface Askpass {
  readonly env: Readonly<Record<string, string>>;
  close(): void;
}

/** @param directory private to the user (0700): who may connect, may ask. */
export async function serveAskpass(directory: string, ask: Ask): Promise<Askpass> {
  const socketPath = join(directory, 'ask');
  const scriptPath = join(directory, 'askpass.cjs');
  const program = join(directory, 'askpass');
  await writeFile(scriptPath, script, { mode: 0o600 });
  await writeFile(program, '#!/bin/sh\nexec "$NSH_ASKPASS_NODE" "$NSH_ASKPASS_SCRIPT" "$@"\n', { mode: 0o700 });
  const server = createServer({ allowHalfOpen: true }, (socket) => {
    answerOne(socket, ask).catch(() => socket.destroy()); // Declined: ssh sees an askpass that failed.
  });
  await listen(server, socketPath);
  return {
    env: {
      SSH_ASKPASS: program,
      SSH_ASKPASS_REQUIRE: 'force',
      NSH_ASKPASS_SOCKET: socketPath,
      NSH_ASKPASS_NODE: process.execPath,
      NSH_ASKPASS_SCRIPT: scriptPath,
    },
    close: () => server.close(),
  };
}

async function listen(server: Server, path: string): Promise<void> {
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(path, resolve);
  });
}

async function answerOne(socket: Socket, ask: Ask): Promise<void> {
  let text = '';
  socket.on('error', () => socket.destroy());
  // Not `for await`, which closes the socket with its end: the answer goes out after it.
  socket.setEncoding('utf8').on('data', (chunk: string) => {
    text += chunk;
  });
  await once(socket, 'end');
  const question = JSON.parse(text) as { text: string; hint: string };
  // `none`: ssh only tells something ("touch your key"), and ends us itself when it has happened.
  if (question.hint === 'none') {
    socket.end(JSON.stringify({ answer: '' }));
    return;
  }
  const { kind, echo } = questionKind(question.text, question.hint);
  const answer = await ask(kind, question.text, echo);
  socket.end(JSON.stringify({ answer }));
}

/** ssh does not say what it asks for, other than in words. */
export function questionKind(text: string, hint: string): { kind: PromptParams['kind']; echo: boolean } {
  if (/\(yes\/no|fingerprint\)/i.test(text)) return { kind: 'host-key', echo: true };
  if (hint === 'confirm') return { kind: 'keyboard-interactive', echo: true };
  if (/^enter passphrase|passphrase for/i.test(text)) return { kind: 'passphrase', echo: false };
  if (/'s password: ?$/i.test(text)) return { kind: 'password', echo: false };
  return { kind: 'keyboard-interactive', echo: false };
}
