/** vi's / ? n N: a pattern typed at a prompt of its own, looked for in older (newer) entries; `^` at its front means their beginning. */
import type { EditorCommand, EditorState, Submode } from './editor-state.ts';
import { moveByGraphemes } from './graphemes.ts';
import type { Key } from './key-event.ts';

export function searchCommand(sign: '/' | '?'): EditorCommand {
  return (state) => {
    state.submode = new PatternPrompt(state, sign);
  };
}

/** n, and N the other way. */
export function searchAgain(isTurned: boolean): EditorCommand {
  return (state) => {
    const { search } = state.vi;
    if (search === undefined) return state.bell();
    find(state, search.wanted, isTurned ? turned(search.direction) : search.direction);
  };
}

class PatternPrompt implements Submode {
  readonly #state: EditorState;
  readonly prompt: '/' | '?';
  typed = '';

  constructor(state: EditorState, sign: '/' | '?') {
    this.#state = state;
    this.prompt = sign;
  }

  handle(key: Key): 'stay' | 'done' | 'pass' {
    switch (key.name) {
      case 'enter':
      case 'C-j':
        return this.#search();
      case 'C-c':
        return 'pass';
      case 'escape':
      case 'C-g':
        return 'done';
      case 'backspace':
      case 'C-h':
        if (this.typed === '') return 'done';
        this.typed = this.typed.slice(0, moveByGraphemes(this.typed, this.typed.length, -1));
        return 'stay';
      case 'C-w':
      case 'C-u':
        this.typed = '';
        return 'stay';
      default:
        if (key.text === '' || key.name !== key.text) this.#state.bell();
        else this.typed += key.text;
        return 'stay';
    }
  }

  paste(text: string): 'stay' {
    this.typed += text;
    return 'stay';
  }

  #search(): 'done' {
    const direction = this.prompt === '/' ? -1 : 1;
    const wanted = this.typed === '' ? (this.#state.vi.search?.wanted ?? '') : this.typed;
    if (wanted === '') {
      this.#state.bell();
      return 'done';
    }
    this.#state.vi.search = { wanted, direction };
    find(this.#state, wanted, direction);
    return 'done';
  }
}

function find(state: EditorState, wanted: string, direction: -1 | 1): void {
  const { walk, buffer } = state;
  const isAnchored = wanted.startsWith('^') && wanted.length > 1;
  const plain = isAnchored ? wanted.slice(1) : wanted;
  for (let entry = walk.position + direction; entry >= 0 && entry <= walk.bottom; entry += direction) {
    const text = walk.textAt(entry) ?? '';
    if (!(isAnchored ? text.startsWith(plain) : text.includes(plain))) continue;
    walk.go(entry);
    buffer.cursor = 0;
    return;
  }
  state.bell();
}

function turned(direction: -1 | 1): -1 | 1 {
  return direction === 1 ? -1 : 1;
}
