/** The lines of an interactive session: each run by the session, with the foreground on the person's terminal. */
import { readFile } from 'node:fs/promises';
import { constants, homedir } from 'node:os';
import { join } from 'node:path';
import { stripVTControlCharacters } from 'node:util';
import type { ClusterClient } from '../../src/cluster/cluster-client.ts';
import type { NodeSpec } from '../../src/cluster/node-spec.ts';
import { pathWithOwnProgram } from '../../src/cluster/own-program.ts';
import { programPath } from '../../src/cluster/programs.ts';
import type { CommandContext } from '../command.ts';
import type { SessionKnowledge } from '../completion/index.ts';
import { escapeLines } from '../escape.ts';
import { fromByteText, toByteText } from '../language/byte-text.ts';
import type { Surroundings } from '../language/nsh-words.ts';
import { isUnfinished } from '../language/script-tree.ts';
import { clusterRunners } from '../session/cluster-runners.ts';
import { commandBuiltins } from '../session/command-builtins.ts';
import { describeJob } from '../session/job-builtins.ts';
import type { Job } from '../session/jobs.ts';
import { localRunner } from '../session/local-runner.ts';
import type { BashRunner, NodeRunners } from '../session/runner.ts';
import { Session } from '../session/session.ts';
import { sessionBuiltins } from './session-builtins.ts';
import { findSyntaxError } from './syntax-check.ts';
import type { LineOutcome, LineRunner, SessionPlace } from './line-runner.ts';
import { findLeftJobs } from './left-jobs.ts';
import { adoptStep, describeFailure, terminalBash, type TerminalBashOptions } from './terminal-bash.ts';
import type { TerminalStep } from './terminal-step.ts';
import { takeInterrupt } from '../terminal/take-interrupt.ts';

export interface SessionLinesOptions {
  readonly stdin: NodeJS.ReadStream;
  readonly stdout: NodeJS.WriteStream;
  readonly stderr: NodeJS.WriteStream;
  readonly env: NodeJS.ProcessEnv;
  readonly cluster: () => Promise<ClusterClient>;
  /** What a line gets besides its streams; the terminal as it is now. */
  readonly context: (signal: AbortSignal) => CommandContext;
  /** News, above the prompt. */
  readonly news: (text: string) => void;
  /** Lines of the history, for `history`. */
  readonly history: () => Iterable<string>;
}

const adoptDeadlineMs = 20_000;
const never = new AbortController().signal;

export class SessionLines implements LineRunner {
  readonly #options: SessionLinesOptions;
  readonly #session: Session;
  readonly #terminal: TerminalBashOptions;
  readonly #watched = new Set<Job>();
  /** Those that were started and may not have ended. */
  readonly #steps = new Set<TerminalStep>();
  readonly #home: string;
  readonly #own: BashRunner;
  #client: ClusterClient | undefined;
  #line = '';
  /** Given back by a node: shown behind the next prompt, and run at Enter. */
  #typedElsewhere: Buffer | undefined;
  #signal: AbortSignal = never;
  #lastEnd: 'exit' | 'signal' | 'detached' | 'lost' = 'exit';

  constructor(options: SessionLinesOptions) {
    this.#options = options;
    const { env, stdin, stdout, context } = options;
    this.#home = env['HOME'] ?? homedir();
    this.#terminal = {
      stdin,
      stdout,
      env,
      cluster: () => this.#connect(),
      signal: () => this.#signal,
      title: () => this.#line,
      tell: (message) => this.#tell(message),
      background: (bytes) => this.#showBackground(bytes),
      giveBack: (typed) => {
        if (typed.length > 0) stdin.unshift(typed);
      },
      giveBackFromNode: (typed) => {
        this.#typedElsewhere = typed ?? this.#typedElsewhere;
      },
      onStart: (step) => void this.#steps.add(step),
      onEnd: (end) => {
        this.#lastEnd = end;
      },
    };
    this.#own = terminalBash(
      localRunner({ env: { ...env, PATH: pathWithOwnProgram(env) }, cwd: process.cwd() }),
      undefined,
      this.#terminal,
    );
    const close = (): void => {};
    this.#session = new Session({
      runner: this.#own,
      nodes: this.#nodes(),
      builtins: sessionBuiltins({
        base: (signal) => commandBuiltins({ ...context(AbortSignal.any([signal, this.#signal])), close }),
        history: options.history,
      }),
      streams: { stdin: 'inherit', stdout: 'inherit', stderr: 'inherit' },
      callBack: [process.execPath, programPath('nsh')],
      tell: (message) => this.#tell(message),
      isInteractive: true,
      takeInterrupt: async () => {
        const isTyped = await takeInterrupt(stdin);
        if (isTyped) stdout.write('^C');
        return isTyped;
      },
    });
    const { jobs } = this.#session;
    jobs.onStarted = (job) => this.#watch(job);
    jobs.onStopped = (job) => options.news(describeJob(jobs, job));
  }

  get words(): Surroundings {
    return this.#session.surroundings;
  }

  get isHere(): boolean {
    return this.#session.current === this.#own;
  }

  get place(): SessionPlace {
    const { state, current, jobs } = this.#session;
    const isOwn = current === this.#own;
    const directory = state.directory === undefined ? (isOwn ? process.cwd() : '~') : fromByteText(state.directory);
    return {
      node: isOwn ? (this.#client?.self.name ?? 'localhost') : current.node,
      cwd: directory,
      home: this.#home,
      status: state.status,
      jobs: jobs.all.filter(({ status }) => status === undefined).length,
      stoppedJobs: jobs.all.filter(({ isStopped }) => isStopped).length,
    };
  }

  /** A variable of the session that the shell itself heeds, like NSH_PROMPT. */
  variable(name: string): string | undefined {
    const { variables } = this.#session.state;
    if (!variables.has(name)) return this.#options.env[name];
    const value = variables.get(name)?.value;
    return typeof value === 'string' ? fromByteText(value) : undefined;
  }

  get isVi(): boolean {
    return this.#session.state.options.get('vi') === true;
  }

  isUnfinished(text: string): boolean {
    return isUnfinished(toByteText(text));
  }

  knowledge(client: ClusterClient): SessionKnowledge {
    const { env } = this.#options;
    return {
      node: () => this.#currentNode(client),
      cwd: () => this.place.cwd,
      variables: () => {
        const own = [...this.#session.state.variables].map(([name, variable]) => {
          const value = variable?.value;
          return typeof value === 'string' ? { name, value: fromByteText(value) } : { name };
        });
        const names = new Set(own.map(({ name }) => name));
        const given = Object.entries(env).flatMap(([name, value]) =>
          names.has(name) || value === undefined ? [] : [{ name, value }],
        );
        return [...own, ...given];
      },
      commands: () => {
        const { functions, aliases } = this.#session.state;
        return [
          ...[...functions.keys()].map((value) => ({ value, description: 'function' })),
          ...[...aliases].map(([value, text]) => ({ value, description: `alias ${fromByteText(text ?? '')}` })),
        ];
      },
      jobs: () =>
        this.#session.jobs.all.map(({ number, text }) => ({ value: `%${number}`, description: fromByteText(text) })),
    };
  }

  /** Takes over the jobs of shells that have gone. @returns how many there are. */
  async adoptJobs(client: ClusterClient): Promise<number> {
    const left = await findLeftJobs(client, AbortSignal.timeout(adoptDeadlineMs));
    const { jobs } = this.#session;
    for (const each of left) {
      const job = jobs.add(toByteText(each.mark.text), adoptStep(client, each, this.#terminal));
      this.#watched.add(job);
      this.#watchEnd(job);
    }
    return left.length;
  }

  /** ~/.config/nsh/nshrc, before the first line. */
  async readStartFile({ signal }: CommandContext): Promise<void> {
    const { env } = this.#options;
    const path = join(env['XDG_CONFIG_HOME'] || join(this.#home, '.config'), 'nsh', 'nshrc');
    const text = await readFile(path, 'utf8').catch(() => undefined); // Mostly there is none.
    if (text === undefined || text.trim() === '') return;
    this.#line = 'nshrc';
    this.#session.name = 'nshrc';
    await this.#run(text, signal, 'nshrc: ');
    this.#session.name = undefined;
    this.#session.setStatus(0);
  }

  async run(text: string, context: CommandContext): Promise<LineOutcome> {
    this.#line = text;
    const exit = await this.#run(text, context.signal);
    this.#watchJobs();
    this.#showTyped();
    if (this.#session.jobs.all.every((job) => job.status !== undefined)) this.#steps.clear();
    return { status: this.#session.state.status, exit };
  }

  #showTyped(): void {
    const text = this.#typedElsewhere
      ?.toString('utf8')
      .replaceAll(/[\u0000-\u0008\u000b\u000c\u000e-\u001f\u007f-\u009f]/g, '')
      // What is typed next is to begin a line of its own, and not to go on with a line that was entered.
      .replace(/[\r\n]+$/, '\n');
    this.#typedElsewhere = undefined;
    if (text !== undefined && text.trim() !== '')
      this.#options.stdin.unshift(Buffer.from(`\u001b[200~${text}\u001b[201~`));
  }

  interrupted(): LineOutcome {
    const status = 128 + constants.signals.SIGINT;
    this.#session.setStatus(status);
    return { status, exit: false };
  }

  suspend(): void {
    if (this.#session.groups.size === 0) return;
    // Behind the ^Z that the terminal shows.
    this.#options.stdout.write('\n');
    this.#session.suspend();
  }

  interrupt(signal: 'INT' | 'QUIT'): void {
    this.#session.interrupt(signal);
  }

  async close(): Promise<void> {
    this.#signal = never;
    await this.#session.close();
    for (const step of this.#steps) step.leave();
  }

  /** @param source where it comes from, before what is wrong with its syntax. @returns whether the session has ended. */
  async #run(text: string, signal: AbortSignal, source = ''): Promise<boolean> {
    this.#signal = signal;
    this.#lastEnd = 'exit';
    try {
      const script = toByteText(text.endsWith('\n') ? text : `${text}\n`);
      const wrong = await findSyntaxError(script);
      if (wrong !== undefined) {
        this.#tell(`${source}${wrong}`);
        this.#session.setStatus(2);
        return false;
      }
      const { isOver } = await this.#session.run(script);
      // Detached from, killed or lost: the line has ended, not the session.
      return isOver && this.#lastEnd === 'exit';
    } catch (error) {
      const { status, message } = describeFailure(error);
      this.#tell(message);
      this.#session.setStatus(status);
      return false;
    } finally {
      this.#session.isOver = false;
    }
  }

  #tell(message: string): void {
    const { stderr, stdin } = this.#options;
    const text = `nsh: ${escapeLines(message)}\n`;
    // Another stage of the pipeline may have the terminal, on which a line feed is nothing more.
    stderr.write(stdin.isRaw ? text.replaceAll('\n', '\r\n') : text);
  }

  /** What a job in the background prints stands above the prompt; what its leader has to say of it is told as a job's end. */
  #showBackground(bytes: Buffer): void {
    // Above a line that is being typed it is text: colours and moves of the cursor go.
    const lines = stripVTControlCharacters(bytes.toString('utf8')).split(/\r?\n/);
    const text = lines
      .filter((line) => !/^\[1\][+ -] .* bash --norc --noprofile /.test(line))
      .join('\n')
      .trim();
    if (text !== '') this.#options.news(text);
  }

  async #connect(): Promise<ClusterClient> {
    this.#client = await this.#options.cluster();
    return this.#client;
  }

  #nodes(): NodeRunners {
    const { env, stdout, context } = this.#options;
    const base = clusterRunners({
      cluster: () => this.#connect(),
      env,
      signal: never,
      colour: () => stdout.isTTY && context(never).terminal.colour,
      tell: (message) => this.#tell(message),
    });
    return {
      ...base,
      resolve: async (where) => {
        const client = await this.#connect();
        const runners = await base.resolve(where);
        // One node may have the terminal; of several nobody could tell who reads the keys.
        if (runners.length > 1) return runners;
        return runners.map((runner) => {
          const node = nodeNamed(client, runner.node);
          return node === undefined ? runner : terminalBash(runner, node, this.#terminal);
        });
      },
    };
  }

  #currentNode(client: ClusterClient): NodeSpec {
    const { current } = this.#session;
    return current === this.#own ? client.self : (nodeNamed(client, current.node) ?? client.self);
  }

  /** Says when a job has ended; then it is no job any more. */
  #watchJobs(): void {
    for (const job of this.#session.jobs.all) this.#watch(job);
  }

  #watch(job: Job): void {
    if (this.#watched.has(job)) return;
    this.#watched.add(job);
    const { stderr } = this.#options;
    if (job.isStopped) stderr.write(`${escapeLines(describeJob(this.#session.jobs, job))}\n`);
    else if (job.status === undefined) stderr.write(`[${job.number}] ${job.id}\n`);
    this.#watchEnd(job);
  }

  #watchEnd(job: Job): void {
    const { jobs } = this.#session;
    void job.ended.then(() => {
      if (job.isInForeground || !jobs.all.includes(job)) return;
      this.#options.news(describeJob(jobs, job));
      jobs.remove(job);
    });
  }
}

function nodeNamed(client: ClusterClient, name: string): NodeSpec | undefined {
  return [client.self, ...client.nodes].find((node) => node.name === name);
}
