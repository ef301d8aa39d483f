/** Writes the files of one process, in order, and remembers what a full disk has refused so that it can be tried again. */
import { appendFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { writeEnd, writeRecord, type ProcessEnd, type ProcessRecord } from './record-files.ts';

export class RecordKeeper {
  readonly #directory: string;
  readonly #record: ProcessRecord;
  #hasRecord = false;
  #end: ProcessEnd | undefined;
  #isEndWritten = false;
  /** Sizes from before there was a directory. */
  #sizes = '';
  #orderBytes = 0;

  constructor(directory: string, record: ProcessRecord) {
    this.#directory = directory;
    this.#record = record;
  }

  /** How it ended, once that is known, written or not. */
  get end(): ProcessEnd | undefined {
    return this.#end;
  }

  /** @throws NodeJS.ErrnoException */
  writeRecord(): void {
    writeRecord(this.#directory, this.#record);
    this.#hasRecord = true;
    if (this.#sizes !== '') this.addSize('');
  }

  /** @throws NodeJS.ErrnoException */
  addSize(line: string): void {
    this.#sizes += line;
    if (!this.#hasRecord) return;
    appendFileSync(join(this.#directory, 'sizes'), this.#sizes, { mode: 0o600 });
    this.#sizes = '';
  }

  /** @throws NodeJS.ErrnoException */
  writeOrder(text: string): void {
    writeFileSync(join(this.#directory, 'order'), text, { mode: 0o600 });
    this.#orderBytes = text.length;
  }

  /** @returns how long the file has become. @throws NodeJS.ErrnoException */
  addOrder(text: string): number {
    appendFileSync(join(this.#directory, 'order'), text, { mode: 0o600 });
    this.#orderBytes += text.length;
    return this.#orderBytes;
  }

  /** @throws NodeJS.ErrnoException; what was given is tried again by `retry`. */
  writeEnd(end: ProcessEnd): void {
    this.#end = end;
    this.#isEndWritten = false;
    this.#flush();
  }

  /** True where nothing is owed to the disk. */
  retry(): boolean {
    try {
      this.#flush();
      return true;
    } catch {
      // Still full: the next retry will tell.
      return false;
    }
  }

  #flush(): void {
    if (!this.#hasRecord) this.writeRecord();
    if (this.#end !== undefined && !this.#isEndWritten) {
      writeEnd(this.#directory, this.#end);
      this.#isEndWritten = true;
    }
  }
}
