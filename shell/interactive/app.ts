/**
 * The interactive shell: reads a line, gives the terminal to what it runs, and reads the next. State lies here and in the session; the
 * frame is drawn from it whenever something has changed.
 */
import type { ReadStream } from 'node:tty';
import { Highlighter } from '../highlight/highlighter.ts';
import { clusterSources, type CompletionSources } from '../completion/index.ts';
import type { ClusterClient } from '../../src/cluster/cluster-client.ts';
import { currentStarter } from '../../src/cluster/starter.ts';
import { ClusterWatch } from './cluster-watch.ts';
import { editInEditor } from './external-editor.ts';
import type { HistoryLines } from './history-lines.ts';
import { InkScreen } from './ink-screen.ts';
import { KnownWords } from './known-words.ts';
import type { Keyboard } from './keyboard.ts';
import { nearCommands } from './near-commands.ts';
import { LineReader } from './line-reader.ts';
import type { LineOutcome, LineRunner } from './line-runner.ts';
import { PromptSource } from './prompt-source.ts';
import { interrupted, type Surroundings } from './surroundings.ts';

export interface AppOptions {
  readonly stdin: ReadStream;
  readonly stdout: NodeJS.WriteStream;
  readonly stderr: NodeJS.WriteStream;
  readonly env: NodeJS.ProcessEnv;
  readonly surroundings: Surroundings;
  readonly keyboard: Keyboard;
  readonly runner: LineRunner;
  readonly history: HistoryLines;
}

const interruptKey = 0x03;
/** What would stop or end an interactive shell, or tells it to end. */
const signals = ['SIGINT', 'SIGTERM', 'SIGHUP', 'SIGTSTP', 'SIGTTOU', 'SIGTTIN', 'SIGQUIT'] as const;

/** As bash ends where it found no such command. */
const commandNotFound = 127;

export class App {
  readonly #options: AppOptions;
  readonly #reader: LineReader;
  readonly #watch: ClusterWatch;
  readonly #prompt: PromptSource;
  readonly #known: KnownWords;
  readonly #closing = new AbortController();
  #sources: CompletionSources | undefined;
  #hasAdopted = false;
  #running: AbortController | undefined;
  #hasGone = false;
  #warned = false;
  #looksAround = false;

  private constructor(options: AppOptions, screen: InkScreen) {
    const { stdout, keyboard, runner, surroundings, env } = options;
    this.#options = options;
    this.#watch = new ClusterWatch(() => this.#connect(), {
      onChange: () => this.#reader.draw(),
      onNews: (text) => this.tell(text),
    });
    const colour = (): boolean => surroundings.terminal.colour;
    this.#prompt = new PromptSource({
      template: () => runner.variable('NSH_PROMPT'),
      colour,
      place: () => runner.place,
      watch: this.#watch,
    });
    this.#known = new KnownWords({
      around: () => runner.words,
      isHere: () => runner.isHere,
      path: () => runner.variable('PATH') ?? '',
      onChange: () => this.#reader.draw(),
    });
    const highlighter = new Highlighter(this.#known);
    this.#reader = new LineReader({
      stdout,
      screen,
      keyboard,
      colour,
      isUnfinished: (text) => runner.isUnfinished(text),
      sources: () => this.#sources,
      spansOf: (text) => (colour() ? highlighter.spansOf(text) : []),
      prompt: (columns) => this.#prompt.prompt(columns),
      status: (columns) => this.#prompt.status(columns),
      editExternally: (text) => editInEditor(text, env),
    });
  }

  static async open(options: AppOptions): Promise<App> {
    return new App(options, await InkScreen.open(options.stdout));
  }

  /** News, above the prompt or before the next one. */
  tell(text: string): void {
    this.#reader.tell(text);
  }

  /** @returns the status of the session. */
  async run(): Promise<number> {
    const { stdout, keyboard, runner, surroundings } = this.#options;
    for (const name of signals) process.on(name, this.#onSignal);
    stdout.on('resize', this.#onResize);
    try {
      keyboard.lend();
      await runner.readStartFile(surroundings.context(this.#closing.signal));
      return await this.#loop();
    } finally {
      for (const name of signals) process.off(name, this.#onSignal);
      stdout.off('resize', this.#onResize);
      this.#closing.abort();
      this.#watch.close();
      keyboard.lend();
      await runner.close();
    }
  }

  async #loop(): Promise<number> {
    const { runner, stdout } = this.#options;
    let entry: number | undefined;
    while (!this.#hasGone) {
      this.#reader.editor.setMode(runner.isVi ? 'vi' : 'emacs');
      const reading = this.#reader.read(this.#options.history.view(), entry);
      this.#lookAround();
      const end = await reading;
      entry = undefined;
      if (end.kind === 'gone') break;
      if (end.kind === 'interrupt') continue;
      if (end.kind === 'end') {
        if (!this.#mayLeave()) continue;
        stdout.write('exit\n');
        return runner.place.status;
      }
      const { exit, status } = await this.#runLine(end.text);
      if (exit && this.#mayLeave()) return status;
      if (!exit) this.#warned = false;
      entry = end.nextEntry;
    }
    return runner.place.status;
  }

  /** What takes a while to load or to ask, once there is a prompt: keys are taken in between. */
  #lookAround(): void {
    if (this.#looksAround) return;
    this.#looksAround = true;
    setImmediate(() => {
      this.#watch.start();
      const { history } = this.#options;
      void history.load(this.#closing.signal).then(() => this.#reader.takeHistory(history.view()));
    });
  }

  /** With stopped jobs one is warned once. */
  #mayLeave(): boolean {
    const { stoppedJobs } = this.#options.runner.place;
    if (stoppedJobs === 0 || this.#warned) return true;
    this.#warned = true;
    const text = stoppedJobs === 1 ? 'There is a stopped job.' : `There are ${stoppedJobs} stopped jobs.`;
    this.#options.stderr.write(`${text}\n`);
    return false;
  }

  async #runLine(text: string): Promise<LineOutcome> {
    const { runner, surroundings } = this.#options;
    if (text.trim() === '') return { status: runner.place.status, exit: false };
    this.#prompt.lines++;
    const { node, cwd } = runner.place;
    const finish = this.#options.history.add({ line: text, node, cwd });
    const running = new AbortController();
    this.#running = running;
    try {
      const outcome = (await this.#isInterruptedAtOnce(running.signal))
        ? runner.interrupted()
        : await runner.run(text, surroundings.context(running.signal));
      finish(outcome.status);
      if (outcome.status === commandNotFound) this.#hint(text);
      return outcome;
    } finally {
      this.#running = undefined;
      this.#known.refresh();
      this.#beginLine();
    }
  }

  /** Lends the terminal, and gives back what was typed ahead. @returns whether Ctrl-C came before the line could begin. */
  async #isInterruptedAtOnce(signal: AbortSignal): Promise<boolean> {
    const { keyboard, stdout } = this.#options;
    await keyboard.cook();
    keyboard.lend();
    const ahead = this.#reader.takeAhead();
    const interruptAt = ahead.lastIndexOf(interruptKey);
    // As a terminal does it: what was typed before a Ctrl-C is forgotten.
    keyboard.giveBack(ahead.subarray(interruptAt + 1));
    if (interruptAt !== -1) stdout.write('^C');
    return interruptAt !== -1 || signal.aborted;
  }

  /** What was not found may have been mistyped: said as soon as it is known, and the next line does not wait for it. */
  #hint(line: string): void {
    if (this.#sources === undefined) return;
    void nearCommands(line, this.#options.runner.words, this.#sources, this.#closing.signal).then(
      (sentences) => {
        for (const sentence of sentences) this.tell(sentence);
      },
      () => undefined, // Who cannot be asked has nothing to offer.
    );
  }

  /** What comes next begins a line of its own; where the cursor was in the middle of one that is marked, as zsh does. */
  #beginLine(): void {
    const { stdout, surroundings, runner } = this.#options;
    // Ctrl-C leaves its ^C behind, which everybody knows.
    const shown = runner.place.status === 130 ? ' ' : '⏎';
    const mark = surroundings.terminal.colour ? `\u001b[2m${shown}\u001b[22m` : shown;
    stdout.write(`${mark}${' '.repeat(Math.max(0, stdout.columns - 1))}\r\u001b[K`);
  }

  async #connect(): Promise<ClusterClient> {
    const { surroundings, env, runner } = this.#options;
    const client = await surroundings.cluster();
    this.#known.connected(client);
    if (!this.#hasAdopted) void this.#adoptJobs(client);
    this.#hasAdopted = true;
    if (this.#sources === undefined) {
      const isNode = client.nodes.some(({ id }) => id === client.self.id);
      this.#sources = clusterSources(client, runner.knowledge(client), currentStarter(env, client.self, isNode));
    }
    return client;
  }

  /** What cannot be found out now is not told: `ps -a` shows it all the same. */
  async #adoptJobs(client: ClusterClient): Promise<void> {
    const count = await this.#options.runner.adoptJobs(client).catch(() => 0);
    if (count > 0) this.tell(`${count === 1 ? 'a job' : `${count} jobs`} of an earlier session: jobs, fg %1`);
  }

  readonly #onResize = (): void => this.#reader.draw();

  readonly #onSignal = (name: NodeJS.Signals): void => {
    if (name === 'SIGINT') this.#running?.abort(interrupted());
    if (name === 'SIGTSTP') this.#options.runner.suspend();
    if (name === 'SIGINT' || name === 'SIGQUIT') this.#options.runner.interrupt(name === 'SIGINT' ? 'INT' : 'QUIT');
    if (name !== 'SIGTERM' && name !== 'SIGHUP') return;
    this.#hasGone = true;
    this.#running?.abort(interrupted());
    this.#reader.leave();
  };
}
