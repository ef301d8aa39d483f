/** `nsh top` on a terminal: samples come in, keys go out, and the screen shows what is known now. */
import type { ClusterClient } from '../../src/cluster/cluster-client.ts';
import { toNshError } from '../../src/protocol/errors.ts';
import { attachCommand } from '../commands/attach.ts';
import type { CommandContext } from '../command.ts';
import { sendSignals } from '../ps/send-signals.ts';
import { clockTime, primingMs } from './batch.ts';
import { dress, type Dress } from './dress.ts';
import { FullScreen, type terminalPair } from './full-screen.ts';
import type { TopOptions } from './options.ts';
import type { Sampler } from './sampler.ts';
import { drawScreen, pageHeight } from './screen.ts';
import { fullSignalName, newState, pressKey, scrolled, withNodes, type TopAction, type TopState } from './state.ts';
import type { Task } from './task.ts';

/** Answers of many nodes that come together are drawn together. */
const gatherMs = 100;

export interface LiveParts {
  readonly context: CommandContext;
  readonly options: TopOptions;
  readonly client: ClusterClient;
  readonly cluster: string;
  readonly terminal: NonNullable<ReturnType<typeof terminalPair>>;
  /** @param onAnswer called for each answer. */
  readonly makeSampler: (onAnswer: () => void) => Sampler;
}

/** @returns the exit status. */
export async function runLive(parts: LiveParts): Promise<number> {
  const top = new LiveTop(parts);
  try {
    return await top.run();
  } finally {
    top.close();
  }
}

class LiveTop {
  readonly #parts: LiveParts;
  readonly #sampler: Sampler;
  readonly #wear: Dress;
  #state: TopState;
  #screen: FullScreen | undefined;
  #sampleTimer: NodeJS.Timeout | undefined;
  #drawTimer: NodeJS.Timeout | undefined;
  /** Answers have come that the state does not hold yet. */
  #hasNews = false;
  #samples = 0;
  #isAway = false;
  #leave: (status: number) => void = () => {};

  constructor(parts: LiveParts) {
    this.#parts = parts;
    this.#wear = dress(parts.context.terminal.colour);
    this.#sampler = parts.makeSampler(() => this.#noteAnswer());
    this.#state = newState(this.#sampler.states, parts.options, parts.options.intervalMs);
  }

  async run(): Promise<number> {
    const { context, terminal } = this.#parts;
    const left = new Promise<number>((resolve) => {
      this.#leave = resolve;
    });
    const stop = (): void => this.#leave(0);
    context.signal.addEventListener('abort', stop, { once: true });
    this.#sample();
    try {
      this.#screen = await FullScreen.open(terminal.stdin, terminal.stdout, {
        onKeys: (keys) => this.#press(keys),
        onRedraw: () => this.#draw(),
        onEnd: () => this.#leave(129),
      });
      if (context.signal.aborted) return 0;
      this.#draw();
      return await left;
    } finally {
      context.signal.removeEventListener('abort', stop);
    }
  }

  close(): void {
    clearTimeout(this.#sampleTimer);
    clearTimeout(this.#drawTimer);
    this.#sampler.close();
    this.#screen?.giveBack();
  }

  #sample(): void {
    clearTimeout(this.#sampleTimer);
    this.#samples++;
    if (this.#samples > this.#parts.options.iterations + 1) return this.#leave(0);
    // Rates need two samples: the second comes soon.
    const waitMs = this.#samples === 1 ? primingMs : this.#state.intervalMs;
    this.#sampleTimer = setTimeout(() => this.#sample(), waitMs);
    void this.#sampler.sample().then(() => this.#drawSoon(0));
  }

  #noteAnswer(): void {
    this.#hasNews = true;
    this.#drawSoon(gatherMs);
  }

  #drawSoon(waitMs: number): void {
    if (waitMs === 0) {
      clearTimeout(this.#drawTimer);
      this.#drawTimer = undefined;
    }
    this.#drawTimer ??= setTimeout(() => this.#draw(), waitMs);
  }

  #draw(): void {
    clearTimeout(this.#drawTimer);
    this.#drawTimer = undefined;
    const screen = this.#screen;
    if (screen === undefined || this.#isAway) return;
    if (this.#hasNews) this.#state = withNodes(this.#state, this.#sampler.states);
    this.#hasNews = false;
    const { size } = screen;
    this.#state = scrolled(this.#state, pageHeight(this.#state, size, this.#wear));
    screen.draw(drawScreen(this.#state, size, this.#wear, clockTime(new Date()), this.#parts.cluster));
  }

  #press(keys: readonly string[]): void {
    const screen = this.#screen;
    if (screen === undefined) return;
    for (const key of keys) {
      const { state, action } = pressKey(this.#state, key, pageHeight(this.#state, screen.size, this.#wear));
      this.#state = state;
      if (action !== undefined) this.#act(action, screen);
    }
    if (keys.length > 0) this.#drawSoon(0);
  }

  #act(action: TopAction, screen: FullScreen): void {
    switch (action.kind) {
      case 'quit':
        return this.#leave(0);
      case 'suspend':
        return screen.suspend();
      case 'redraw':
        return screen.clear();
      case 'sample':
        return this.#sample();
      case 'signal':
        void this.#signal(action.target, action.signal);
        return;
      case 'attach':
        void this.#attach(action.target, screen);
    }
  }

  async #signal(target: Task, signal: number): Promise<void> {
    const { client, context } = this.#parts;
    const [outcome] = await sendSignals(client, [target], signal, { abort: context.signal });
    const sent = `${fullSignalName(signal)} sent to ${target.gpid}`;
    this.#say(outcome?.error === undefined ? sent : `${target.gpid}: ${outcome.error.message}`);
    this.#sample();
  }

  /** The process has the terminal until it is detached from, or ends. */
  async #attach(target: Task, screen: FullScreen): Promise<void> {
    this.#isAway = true;
    screen.giveBack();
    try {
      await attachCommand.run(this.#parts.context, [String(target.gpid)]);
      this.#say(`back from ${target.gpid}`);
    } catch (error) {
      this.#say(toNshError(error).message);
    } finally {
      this.#isAway = false;
      if (!this.#parts.context.signal.aborted) screen.take();
    }
    this.#draw();
  }

  #say(message: string): void {
    this.#state = { ...this.#state, message };
    this.#drawSoon(0);
  }
}
