/**
 * Keystroke to echo under bash, as a person at a terminal has it: the client program runs under a PTY of its own, a byte goes in, and
 * the clock stops when its echo comes out. nsh, ssh -t and a bash on a local PTY take turns within one pass.
 */
import { createRequire } from 'node:module';
import type { Setting } from './setting.ts';
import { median, percentile, type Figure } from './stats.ts';

interface Pty {
  write(data: string): void;
  onData(listener: (data: string) => void): unknown;
  kill(signal?: string): void;
}
interface PtyModule {
  spawn(file: string, args: readonly string[], options: Record<string, unknown>): Pty;
}
const pty = createRequire(import.meta.url)('node-pty') as PtyModule;

/** Types letters and measures until each is echoed; empties the line from time to time. */
class Typist {
  readonly name: string;
  readonly times: number[] = [];
  readonly #pty: Pty;
  #text = '';
  #onText: () => void = () => undefined;

  constructor(name: string, command: readonly string[], env: NodeJS.ProcessEnv) {
    this.name = name;
    const [file = '', ...args] = command;
    this.#pty = pty.spawn(file, args, { cols: 80, rows: 24, env: { ...env, TERM: 'xterm' } });
    this.#pty.onData((data) => {
      this.#text += data;
      this.#onText();
    });
  }

  /** A bash without colours and completion, so that what comes back is the echo. */
  async ready(): Promise<void> {
    await this.#until(/[$#] $/);
    await this.#line("PS1='ready> '", /ready> $/);
  }

  async type(letter: string): Promise<void> {
    this.#text = '';
    const start = performance.now();
    this.#pty.write(letter);
    await this.#until(new RegExp(letter));
    this.times.push(performance.now() - start);
    if (this.times.length % 40 === 0) await this.#line('\x15', /ready> $/);
  }

  end(): void {
    this.#pty.kill('SIGKILL');
  }

  async #line(text: string, answer: RegExp): Promise<void> {
    this.#text = '';
    this.#pty.write(`${text}\r`);
    await this.#until(answer);
  }

  #until(pattern: RegExp): Promise<void> {
    return new Promise((resolve, reject) => {
      const timer = setTimeout(
        () => reject(new Error(`${this.name}: waited for ${pattern}, saw ${JSON.stringify(this.#text)}`)),
        20_000,
      );
      const look = (): void => {
        if (!pattern.test(this.#text)) return;
        clearTimeout(timer);
        this.#onText = () => undefined;
        resolve();
      };
      this.#onText = look;
      look();
    });
  }
}

export async function benchKeystroke({ hosts, env, nsh, masterConfig }: Setting, keys: number): Promise<Figure[]> {
  const host = hosts.hosts[0];
  if (host === undefined) throw new Error('no host');
  const bash = ['bash', '--norc', '--noprofile', '-i'];
  const typists = [
    new Typist('local PTY', bash, env),
    new Typist('ssh -t', ['ssh', '-F', hosts.sshConfig, '-t', host.name, bash.join(' ')], env),
    new Typist('ssh -t over ControlMaster', ['ssh', '-F', masterConfig, '-t', host.name, bash.join(' ')], env),
    new Typist('nsh run', [process.execPath, nsh, 'run', '-n', host.name, '--', ...bash], env),
  ];
  try {
    await Promise.all(typists.map((typist) => typist.ready()));
    for (let i = 0; i < keys; i++) {
      for (const typist of typists) await typist.type('abcdefghijklmnop'[i % 16] ?? 'a');
    }
  } finally {
    for (const typist of typists) typist.end();
  }
  const [, ssh] = typists;
  if (ssh === undefined) throw new Error('no peer');
  const figures = typists.map((typist): Figure[] => {
    const [mid, p99] = [median(typist.times), percentile(typist.times, 99)];
    const [peerMid, peerP99] = [median(ssh.times), percentile(ssh.times, 99)];
    const isNsh = typist.name.startsWith('nsh');
    return [
      figure('keystroke to echo, median', typist.name, mid, peerMid, isNsh),
      figure('keystroke to echo, p99', typist.name, p99, peerP99, isNsh),
    ];
  });
  return [0, 1].flatMap((which) => figures.flatMap((pair) => pair[which] ?? []));
}

function figure(work: string, who: string, value: number, peer: number, hasGoal: boolean): Figure {
  const base = { work, who, value, unit: 'ms' as const, ratio: (value / peer).toFixed(2) };
  return hasGoal ? { ...base, goal: ['no slower than ssh -t', value <= peer] } : base;
}
