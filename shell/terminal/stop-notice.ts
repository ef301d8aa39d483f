/**
 * Takes the notices of a job-control leader (session/leader.ts) out of a terminal's output: `ESC ] 7717 ; TOKEN ; STATUS BEL`, which any
 * terminal would ignore, and the line that bash puts before it. Pure. What may be the beginning of one is held back until it is clear.
 */

/** bash's own line: `[1]+  Stopped                 bash --norc …`. The line feed before it ends the line of the ^Z. */
const bashLine = '[1]+  Stopped';
/** With it the leader takes bash's line off a screen that is looked at later. */
const eraseLine = '\u001b[A\u001b[2K';
const longestBytes = 512;
/** In place of a status: the job is about to have the terminal. */
const readyStatus = '0';
const lineFeed = '\n';

export interface Filtered {
  /** For the terminal. */
  readonly output: Buffer;
  /** The status with which the job stopped; undefined where it did not. */
  readonly stopped: number | undefined;
  /** The job, called back, has the terminal in a moment. */
  readonly isReady: boolean;
}

export class StopNotice {
  readonly #pattern: RegExp;
  readonly #notice: string;
  /** What may become one. */
  readonly #partial: RegExp;
  #held = '';
  /** What came last before that. */
  #last = lineFeed;

  /** @param token letters and digits. */
  constructor(token: string) {
    this.#notice = `\u001b]7717;${token};`;
    const notice = `${beginningOf(this.#notice)}\\d{0,3}`;
    const erase = '\u001b\\[A\u001b\\[2K';
    const line = `\\[1\\]\\+  Stopped[^\\r\\n]*(?:\\r\\n?(?:${beginningOf(eraseLine)}|(?:${erase})?(?:${notice})?)?)?`;
    this.#partial = new RegExp(`^(?:${line}|${beginningOf(bashLine)}|${notice})$`);
    this.#pattern = new RegExp(
      `(?:\\[1\\]\\+  Stopped[^\\r\\n]*\\r\\n(?:${erase})?)?\u001b\\]7717;${token};(\\d{1,3})\u0007`,
    );
  }

  /** That the job has stopped is the last thing before the leader stops: what comes after it belongs to what is continued later. */
  push(bytes: Buffer): Filtered {
    let text = this.#held + bytes.toString('latin1');
    let isReady = false;
    for (let match = this.#pattern.exec(text); match !== null; match = this.#pattern.exec(text)) {
      text = text.slice(0, match.index) + text.slice(match.index + match[0].length);
      if (match[1] === readyStatus) {
        isReady = true;
        continue;
      }
      this.#held = '';
      return { output: Buffer.from(text, 'latin1'), stopped: Number(match[1]), isReady };
    }
    const from = this.#suspicious(text);
    this.#held = text.slice(from);
    this.#last = text[from - 1] ?? this.#last;
    return {
      output: from === text.length ? this.#whole(bytes, text) : Buffer.from(text.slice(0, from), 'latin1'),
      stopped: undefined,
      isReady,
    };
  }

  /** What is held back was no notice: nothing more has come for a while, or the stream has ended. */
  flush(): Buffer {
    const held = this.#held;
    this.#held = '';
    return Buffer.from(held, 'latin1');
  }

  get isHolding(): boolean {
    return this.#held !== '';
  }

  /** More than a few characters that anything may begin with. */
  get isLikely(): boolean {
    return this.#held.length >= bashLine.length;
  }

  /** The usual case costs no copy. */
  #whole(bytes: Buffer, text: string): Buffer {
    return text.length === bytes.length ? bytes : Buffer.from(text, 'latin1');
  }

  /** Where a notice may begin that has not come whole; the length of the text where none does. */
  #suspicious(text: string): number {
    const after = Math.max(0, text.length - longestBytes);
    for (const candidate of [bashLine, this.#notice]) {
      for (let at = text.indexOf(candidate[0] ?? '', after); at !== -1; at = text.indexOf(candidate[0] ?? '', at + 1)) {
        if (candidate === bashLine && (text[at - 1] ?? this.#last) !== lineFeed) continue;
        if (this.#partial.test(text.slice(at))) return at;
      }
    }
    return text.length;
  }
}

/** Matches every beginning of `text`, the empty one not among them. */
function beginningOf(text: string): string {
  const escaped = text.split('').map((character) => character.replace(/[\]\\[^$.*+?(){}|]/, '\\$&'));
  return escaped.reduceRight((rest, character) => (rest === '' ? character : `${character}(?:${rest})?`), '');
}
