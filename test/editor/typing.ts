/** An editor that keys in the notation of key-notation.ts are typed into. */
import { LineEditor, type EditorOptions } from '../../shell/editor/editor.ts';
import type { EditorRequest } from '../../shell/editor/editor-state.ts';
import type { HistoryView } from '../../shell/editor/history-view.ts';
import { KeyDecoder } from '../../shell/editor/key-decoder.ts';
import { bytesOf } from './key-notation.ts';

export function historyOf(...entries: readonly string[]): HistoryView {
  return { length: entries.length, at: (index) => entries[index] };
}

export class TypingPerson {
  readonly editor: LineEditor;
  readonly requests: EditorRequest[] = [];

  constructor(options: EditorOptions = {}) {
    this.editor = new LineEditor(options);
  }

  type(notation: string): this {
    const decoder = new KeyDecoder();
    for (const event of [...decoder.push(Buffer.from(bytesOf(notation))), ...decoder.flush()]) {
      this.requests.push(...this.editor.handle(event));
    }
    return this;
  }

  /** The text with a bar where the cursor is. */
  get seen(): string {
    const { text, cursor } = this.editor.view;
    return `${text.slice(0, cursor)}|${text.slice(cursor)}`;
  }
}
