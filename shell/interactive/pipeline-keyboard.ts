/** Hands the keyboard from stage to stage of one pipeline, as keyboard-policy.ts has it. */
import { keyboardHolder, type Member } from './keyboard-policy.ts';

/** A stage as far as the keyboard is concerned. */
export interface KeyboardStage {
  /** Resolves when it lets go of the terminal, or has been told to take it. */
  setKeyboard(has: boolean): Promise<void>;
}

interface Entry extends Member {
  readonly stage: KeyboardStage;
  isFullScreen: boolean;
}

export class PipelineKeyboard {
  readonly #entries = new Set<Entry>();
  #holder: Entry | undefined;
  #moving: Promise<void> = Promise.resolve();
  #isAwaited: boolean;

  /** @param isAwaited the first stage reads the terminal. */
  constructor(isAwaited: boolean) {
    this.#isAwaited = isAwaited;
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
      await next?.stage.setKeyboard(true);
    });
  }
}
