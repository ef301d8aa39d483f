/** What was typed at `top`, as names of keys: `up`, `pagedown`, `enter`, `ctrl-c`, or the character itself. Bytes may come in any pieces. */
import { StringDecoder } from 'node:string_decoder';

const named: ReadonlyMap<string, string> = new Map([
  ['\r', 'enter'],
  ['\n', 'enter'],
  ['\t', 'tab'],
  ['\u007f', 'backspace'],
  ['\b', 'backspace'],
]);

/** Finals of control sequences, with their parameters where these tell keys apart. */
const sequences: ReadonlyMap<string, string> = new Map([
  ['A', 'up'],
  ['B', 'down'],
  ['C', 'right'],
  ['D', 'left'],
  ['H', 'home'],
  ['F', 'end'],
  ['1~', 'home'],
  ['3~', 'delete'],
  ['4~', 'end'],
  ['5~', 'pageup'],
  ['6~', 'pagedown'],
  ['7~', 'home'],
  ['8~', 'end'],
]);

/** CSI and SS3; parameters are ignored but for `~`. */
const sequence = /^\u001b(?:\[([\d;:<=>?]*)[ -/]*([@-~])|O([@-~]))/;
const unfinished = /^\u001b(?:\[[\d;:<=>? -/]*|O)?$/;

export class KeyReader {
  readonly #decoder = new StringDecoder('utf8');
  #rest = '';

  /** An escape that may be a key, or the beginning of one: `flush` it when nothing follows. */
  get isWaiting(): boolean {
    return this.#rest !== '';
  }

  feed(bytes: Buffer): string[] {
    let text = this.#rest + this.#decoder.write(bytes);
    this.#rest = '';
    const keys: string[] = [];
    while (text !== '') {
      if (unfinished.test(text)) {
        this.#rest = text;
        break;
      }
      const found = sequence.exec(text);
      if (found !== null) {
        const [whole, parameters = '', final, ss3] = found;
        const name = sequences.get(final === '~' ? `${parameters.split(';')[0]}~` : (final ?? ss3 ?? ''));
        if (name !== undefined) keys.push(name);
        text = text.slice(whole.length);
        continue;
      }
      const character = String.fromCodePoint(text.codePointAt(0) ?? 0);
      keys.push(nameOf(character));
      text = text.slice(character.length);
    }
    return keys;
  }

  flush(): string[] {
    const alone = this.#rest === '\u001b';
    this.#rest = '';
    return alone ? ['escape'] : [];
  }
}

function nameOf(character: string): string {
  const known = named.get(character);
  if (known !== undefined) return known;
  const code = character.charCodeAt(0);
  if (code === 0x1b) return 'escape';
  return code < 0x20 ? `ctrl-${String.fromCharCode(code + 0x60)}` : character;
}
