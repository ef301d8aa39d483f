/** A terminal's output on its way to a person's: what the job-control leader says in it is for nsh, the rest goes on. */
import type { OutputSink } from '../../src/cluster/process-stream/sink.ts';
import { StopNotice } from './stop-notice.ts';

/** What looks like the beginning of a notice is shown after so long where nothing follows. */
const heldForMs = 20;
/** The rest of one that has begun for sure is a few milliseconds of work for the leader, on a busy machine more. */
const likelyHeldForMs = 500;

export class NoticeSink implements OutputSink {
  readonly #notice: StopNotice;
  readonly #sink: OutputSink;
  readonly #onStopped: (status: number) => void;
  readonly #onReady: () => void;
  #timer: NodeJS.Timeout | undefined;

  /** @param onReady what has been called back has the terminal in a moment. */
  constructor(token: string, sink: OutputSink, onStopped: (status: number) => void, onReady = (): void => undefined) {
    this.#notice = new StopNotice(token);
    this.#sink = sink;
    this.#onStopped = onStopped;
    this.#onReady = onReady;
  }

  write(bytes: Buffer, taken: (error?: Error | null) => void): void {
    clearTimeout(this.#timer);
    const { output, stopped, isReady } = this.#notice.push(bytes);
    if (output.length > 0) this.#sink.write(output, taken);
    else taken();
    if (this.#notice.isHolding)
      this.#timer = setTimeout(() => this.flush(), this.#notice.isLikely ? likelyHeldForMs : heldForMs);
    if (isReady) this.#onReady();
    if (stopped !== undefined) this.#onStopped(stopped);
  }

  /** No more comes by this way: what is held back was no notice. */
  flush(): void {
    clearTimeout(this.#timer);
    if (this.#notice.isHolding) this.#sink.write(this.#notice.flush(), () => undefined);
  }
}
