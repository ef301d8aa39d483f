/** An agent that answers what a test tells it to, hostile things too, and the program that leads to it. */
import { writeFileSync } from 'node:fs';
import { createServer, type Server, type Socket } from 'node:net';
import { join } from 'node:path';

/** By method: members of the response, the whole line as text (`$ID` becomes the request's id), or what makes one of them from the params. */
export type FakeAnswers = Readonly<Record<string, unknown>>;

export class FakeAgent {
  /** For `agentCommand`. */
  readonly command: string;
  readonly #socket: string;
  readonly #server: Server;
  readonly #clients = new Set<Socket>();

  /** @param report what `start` prints behind the marker; default: that the agent serves. */
  constructor(directory: string, answers: FakeAnswers, report?: object) {
    this.#socket = join(directory, 'fake.sock');
    this.command = join(directory, 'fake-agent');
    const line = JSON.stringify(report ?? { ok: true, version: '0.1.0', socket: this.#socket });
    const script = `#!/bin/sh\nwhile [ "$1" != --marker ]; do shift; done\ncat <<END\n$2 ${line}\nEND\n`;
    writeFileSync(this.command, script, { mode: 0o755 });
    this.#server = createServer((client) => {
      this.#clients.add(client);
      // Whoever has heard enough hangs up.
      client.on('error', () => undefined);
      let text = '';
      client.on('data', (chunk) => {
        text += chunk.toString();
        for (let end = text.indexOf('\n'); end !== -1; end = text.indexOf('\n')) {
          answer(client, answers, text.slice(0, end));
          text = text.slice(end + 1);
        }
      });
    });
  }

  async listen(): Promise<this> {
    await new Promise<void>((resolve) => void this.#server.listen(this.#socket, resolve));
    return this;
  }

  async close(): Promise<void> {
    for (const client of this.#clients) client.destroy();
    await new Promise<void>((resolve) => void this.#server.close(() => resolve()));
  }
}

function answer(client: Socket, answers: FakeAnswers, line: string): void {
  const { id, method, params } = JSON.parse(line) as { id?: number; method: string; params: unknown };
  if (id === undefined) return;
  const known = answers[method];
  const found = typeof known === 'function' ? (known as (params: unknown) => unknown)(params) : known;
  const text = typeof found === 'string' ? found : JSON.stringify({ jsonrpc: '2.0', id, ...(found as object) });
  client.write(`${text.replace('$ID', String(id))}\n`);
}
