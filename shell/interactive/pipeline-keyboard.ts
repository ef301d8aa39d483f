/** Hands the keyboard from stage to stage of one pipeline, as keyboard-policy.ts has it. */
import type { HeldTerminal } from '../terminal/held-terminal.ts';
import { keyboardHolder, takesKeys, type Member } from './keyboard-policy.ts';

const interruptKey = 0x03;

/** A stage as far as the keyboard is concerned. */
export interface KeyboardStage {
  /** Resolves when it lets go of the terminal, or has been told to take it. */
  setKeyboard(has: boolean): Promise<void>;
  kill(signal: string): void;
}

interface Entry extends Member {
  readonly stage: KeyboardStage;
  isFullScreen: boolean;
}

export class PipelineKeyboard {
  readonly #entries = new Set<Entry>();
  #holder: Entry | undefined;
  #isInterrupted = false;
  #moving: Promise<void> = Promise.resolve();
  #isAwaited: boolean;
  /** Until somebody has the keyboard. */
  #held: HeldTerminal | undefined;

  /** @param isAwaited the first stage reads the terminal. @param held what is typed until it does. */
  constructor(isAwaited: boolean, held: HeldTerminal) {
    this.#isAwaited = isAwaited;
    this.#held = held;
  }

  /** Whoever has ended since then was interrupted, also where its reader was faster. */
  get isInterrupted(): boolean {
    return this.#isInterrupted;
  }

  /** Ctrl-C is for all of them, and at once: what they still have for each other may take a while. */
  typed(bytes: Buffer): void {
    const holder = this.#holder;
    if (!bytes.includes(interruptKey) || holder === undefined || takesKeys(holder)) return;
    this.#isInterrupted = true;
    for (const { stage } of this.#entries) if (stage !== holder.stage) stage.kill('INT');
  }

  /** A stage could not be started. */
  missing(index: number): void {
    if (index === 0) this.#isAwaited = false;
    this.#release(this.#entries.size > 0);
    this.#decide();
  }

  #release(isTaken: boolean): void {
    this.#held?.release(isTaken);
    this.#held = undefined;
  }

  /** @returns what takes it out again when it has ended or stopped. */
  join(stage: KeyboardStage, member: Omit<Member, 'isFullScreen'>): { leave(): void; tookScreen(): void } {
    const entry: Entry = { ...member, stage, isFullScreen: false };
    this.#entries.add(entry);
    if (entry.index === 0) this.#isAwaited = false;
    this.#decide();
    return {
      leave: () => {
        this.#entries.delete(entry);
        if (this.#holder === entry) this.#holder = undefined;
        this.#decide();
      },
      tookScreen: () => {
        entry.isFullScreen = true;
        this.#decide();
      },
    };
  }

  #decide(): void {
    this.#moving = this.#moving.then(async () => {
      const next = keyboardHolder([...this.#entries], this.#isAwaited);
      if (next === this.#holder) return;
      const before = this.#holder;
      this.#holder = next;
      if (before !== undefined) await before.stage.setKeyboard(false);
      if (next !== undefined) this.#release(true);
      await next?.stage.setKeyboard(true);
    });
  }
}
