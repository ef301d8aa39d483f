/**
 * Sends all output streams of one process to one client. To a reader (`logs`) they go in the order in which they came; to others each as
 * soon as it can, which live is the same.
 */
import type { StreamNumber } from '../../src/protocol/frames.ts';
import type { OrderLog } from './order-log.ts';
import { OutputCursor, type CursorOutput } from './output-cursor.ts';
import type { OutputView } from './output-view.ts';

export type StartOffset = number | 'oldest' | 'newest';

export interface ClientOutputOptions {
  readonly views: readonly OutputView[];
  readonly from: { readonly stdout: StartOffset; readonly stderr?: StartOffset | undefined };
  readonly window: number;
  readonly output: CursorOutput;
  /** May be sent on to the newest byte where it is far behind. */
  readonly skipsAhead: boolean;
  /** Stop at what is there now. */
  readonly stopsAtEnd: boolean;
  /** Given: streams are sent in this order. */
  readonly order: OrderLog | undefined;
  /** Something has been sent asynchronously. */
  readonly onProgress: () => void;
}

export class ClientOutput {
  readonly cursors: readonly OutputCursor[];
  readonly #order: OrderLog | undefined;
  #orderNumber = 0;

  constructor(options: ClientOutputOptions) {
    const { views, from, window, output, skipsAhead, stopsAtEnd, onProgress } = options;
    this.#order = views.length > 1 ? options.order : undefined;
    this.cursors = views.map(
      (view) =>
        new OutputCursor({
          view,
          output,
          from: startAt(view, view.number === 1 ? from.stdout : (from.stderr ?? 'newest')),
          window,
          skipsAhead,
          until: stopsAtEnd ? view.end : undefined,
          onReady: () => {
            this.pump();
            onProgress();
          },
        }),
    );
  }

  /** Eof of every stream has been sent. */
  get isDone(): boolean {
    return this.cursors.every((cursor) => cursor.isDone);
  }

  ack(stream: StreamNumber, offset: number): void {
    this.cursors[stream - 1]?.ack(offset);
  }

  pump(): void {
    if (this.#order !== undefined && !this.#pumpInOrder(this.#order)) return;
    for (const cursor of this.cursors) cursor.pump();
  }

  /** False where a stream must wait for another, which waits for the client. */
  #pumpInOrder(order: OrderLog): boolean {
    for (;;) {
      this.#orderNumber = Math.max(this.#orderNumber, order.firstNumber);
      const entry = order.at(this.#orderNumber);
      if (entry === undefined) return true;
      const cursor = this.cursors[entry.stream - 1];
      if (cursor !== undefined && !cursor.isDone && cursor.position < entry.end) {
        cursor.pump(entry.end);
        if (!cursor.isDone && cursor.position < entry.end) return false;
      }
      // The newest run may still grow.
      if (order.at(this.#orderNumber + 1) === undefined) return true;
      this.#orderNumber++;
    }
  }
}

/** An offset that the stream has not reached waits there; one that is gone is told as a gap. */
function startAt(view: OutputView, from: StartOffset): number {
  if (from === 'newest') return view.end;
  return from === 'oldest' ? view.base : from;
}
