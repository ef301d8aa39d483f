/** One line typed in answer to a question, with the editing keys of a terminal's own line discipline (termios(3)). Pure. */
import { StringDecoder } from 'node:string_decoder';
import { displayWidth, escapeText } from '../escape.ts';

export interface Edited {
  /** For the terminal. */
  readonly show: string;
  readonly done: 'entered' | 'cancelled' | undefined;
}

export class LineEditor {
  readonly #echo: boolean;
  readonly #decoder = new StringDecoder('utf8');
  #characters: string[] = [];

  constructor(echo: boolean) {
    this.#echo = echo;
  }

  get text(): string {
    return this.#characters.join('');
  }

  feed(bytes: Buffer): Edited {
    let show = '';
    for (const character of this.#decoder.write(bytes)) {
      switch (character) {
        case '\r':
        case '\n':
          return { show: `${show}\r\n`, done: 'entered' };
        case '\u0003':
        case '\u001c':
          return { show: `${show}\r\n`, done: 'cancelled' };
        case '\u0004':
          if (this.#characters.length > 0) break;
          return { show: `${show}\r\n`, done: 'cancelled' };
        case '\u007f':
        case '\b':
          show += this.#erase(1);
          break;
        case '\u0015':
          show += this.#erase(this.#characters.length);
          break;
        default:
          this.#characters.push(character);
          if (this.#echo) show += escapeText(character);
      }
    }
    return { show, done: undefined };
  }

  #erase(count: number): string {
    let show = '';
    for (const character of this.#characters.splice(
      this.#characters.length - Math.min(count, this.#characters.length),
    )) {
      if (this.#echo) show += '\b \b'.repeat(displayWidth(escapeText(character)));
    }
    return show;
  }
}
