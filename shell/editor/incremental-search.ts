/**
 * C-r and C-s. What is typed is looked for in the line, then in older (newer) entries; the same key goes on, the other turns around,
 * Backspace takes back, C-g gives up, Escape and C-j stay, any other key stays and then does what it does.
 */
import type { EditorCommand, EditorState, Submode } from './editor-state.ts';
import type { Key } from './key-event.ts';
import { nextBoundary, previousBoundary } from './graphemes.ts';
import { moveByWords } from './words.ts';

type Direction = -1 | 1;

/** One step of the search, to come back to with Backspace. */
interface Step {
  readonly wanted: string;
  readonly entry: number;
  readonly offset: number;
  readonly direction: Direction;
  readonly isFailed: boolean;
}

export const searchBackward: EditorCommand = (state) => {
  state.submode = new IncrementalSearch(state, -1);
};

export const searchForward: EditorCommand = (state) => {
  state.submode = new IncrementalSearch(state, 1);
};

class IncrementalSearch implements Submode {
  readonly #state: EditorState;
  readonly #before: { readonly entry: number; readonly cursor: number };
  readonly #steps: Step[] = [];
  #now: Step;
  #isQuoting = false;

  constructor(state: EditorState, direction: Direction) {
    this.#state = state;
    this.#before = { entry: state.walk.position, cursor: state.buffer.cursor };
    const { entry, cursor } = this.#before;
    this.#now = { wanted: '', entry, offset: cursor, direction, isFailed: false };
  }

  get prompt(): string {
    const { isFailed, direction, wanted } = this.#now;
    const kind = direction < 0 ? 'reverse-i-search' : 'i-search';
    return `(${isFailed ? 'failed ' : ''}${kind})\`${wanted}': `;
  }

  handle(key: Key): 'stay' | 'done' | 'pass' {
    if (this.#isQuoting) {
      this.#isQuoting = false;
      return this.#extend(key.raw);
    }
    switch (key.name) {
      case 'C-r':
        return this.#again(-1);
      case 'C-s':
        return this.#again(1);
      case 'C-h':
      case 'backspace':
        return this.#takeBack();
      case 'C-g':
        return this.#giveUp();
      case 'C-c':
        this.#giveUp();
        return 'pass';
      case 'escape':
      case 'C-j':
        return this.#end('done');
      case 'C-v':
      case 'C-q':
        this.#isQuoting = true;
        return 'stay';
      case 'C-w':
        return this.#extend(this.#following((text, at) => moveByWords(text, at, 1)));
      case 'C-y':
        return this.#extend(this.#following((text) => text.length));
      default:
        return key.text !== '' && key.name === key.text ? this.#extend(key.text) : this.#end('pass');
    }
  }

  paste(text: string): 'stay' {
    return this.#extend(text);
  }

  #extend(more: string): 'stay' {
    if (more === '') return this.#bell();
    this.#steps.push(this.#now);
    const wanted = this.#now.wanted + more;
    this.#find({ ...this.#now, wanted }, this.#now.offset);
    return 'stay';
  }

  #again(direction: Direction): 'stay' {
    this.#steps.push(this.#now);
    const wanted = this.#now.wanted === '' ? this.#state.lastSearch : this.#now.wanted;
    const next = { ...this.#now, wanted, direction };
    // Turning around finds the same place first, as in bash.
    const isGoingOn = this.#now.wanted !== '' && this.#now.direction === direction;
    if (wanted === '') this.#now = next;
    else this.#find(next, this.#now.offset + (isGoingOn ? direction : 0));
    return 'stay';
  }

  #takeBack(): 'stay' {
    const step = this.#steps.pop();
    if (step === undefined) return this.#bell();
    this.#show(step);
    return 'stay';
  }

  #giveUp(): 'done' {
    this.#state.walk.go(this.#before.entry);
    this.#state.buffer.cursor = this.#before.cursor;
    this.#state.bell();
    return 'done';
  }

  #end(how: 'done' | 'pass'): 'done' | 'pass' {
    if (this.#now.wanted !== '') this.#state.lastSearch = this.#now.wanted;
    return how;
  }

  #bell(): 'stay' {
    this.#state.bell();
    return 'stay';
  }

  /** Text from behind what was found on. */
  #following(end: (text: string, at: number) => number): string {
    const { text } = this.#state.buffer;
    const at = this.#now.offset + this.#now.wanted.length;
    return text.slice(at, Math.max(end(text, at), nextBoundary(text, at)));
  }

  /** From `offset` of the current entry on; then entry by entry, without those that look the same as the one before. */
  #find(step: Step, from: number): void {
    const { walk, buffer } = this.#state;
    const { wanted, direction } = step;
    const here = placeIn(buffer.text, wanted, from, direction);
    if (here >= 0) return this.#show({ ...step, offset: here, isFailed: false });
    let shown = buffer.text;
    for (let entry = step.entry + direction; entry >= 0 && entry <= walk.bottom; entry += direction) {
      const text = walk.textAt(entry) ?? '';
      if (text === shown) continue;
      shown = text;
      const offset = placeIn(text, wanted, direction < 0 ? text.length : 0, direction);
      if (offset >= 0) return this.#show({ ...step, entry, offset, isFailed: false });
    }
    this.#state.bell();
    this.#now = { ...step, isFailed: true };
  }

  #show(step: Step): void {
    this.#now = step;
    this.#state.walk.go(step.entry);
    const { buffer } = this.#state;
    // Found inside a cluster: its beginning is where a cursor can stand.
    const isWhole = nextBoundary(buffer.text, previousBoundary(buffer.text, step.offset)) === step.offset;
    buffer.cursor = isWhole ? step.offset : previousBoundary(buffer.text, step.offset);
  }
}

function placeIn(text: string, wanted: string, from: number, direction: Direction): number {
  if (direction > 0) return text.indexOf(wanted, Math.max(0, from));
  return from < 0 ? -1 : text.lastIndexOf(wanted, from);
}
