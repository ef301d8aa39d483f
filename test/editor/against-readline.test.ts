/** The editor and real readline, given the same keys, arrive at the same line and place. */
import { afterAll, describe, expect, it } from 'vitest';
import { LineEditor } from '../../shell/editor/editor.ts';
import type { EditingMode } from '../../shell/editor/editor-state.ts';
import { KeyDecoder } from '../../shell/editor/key-decoder.ts';
import { emacsSequences } from './emacs-sequences.ts';
import { bytesOf } from './key-notation.ts';
import { oracleHistory } from './oracle-history.ts';
import { type EditedLine, ReadlineOracle } from './readline-oracle.ts';
import { viSequences } from './vi-sequences.ts';

const tables: Readonly<Record<EditingMode, Readonly<Record<string, readonly string[]>>>> = {
  emacs: emacsSequences,
  vi: viSequences,
};

for (const mode of ['emacs', 'vi'] as const) {
  const oracle = new ReadlineOracle(mode, oracleHistory);
  afterAll(() => oracle.close());
  for (const [subject, sequences] of Object.entries(tables[mode])) {
    describe.concurrent(`${mode} mode, ${subject}`, () => {
      it.each(sequences)('makes of %s what bash makes of it', async (keys) => {
        const theirs = await oracle.edit(bytesOf(keys));
        const ours = editedBy(mode, bytesOf(keys));
        // Deliberately other: undo goes back to where the cursor was before the change.
        const point = subject.includes('undoing') ? theirs.point : ours.point;
        expect({ ...ours, point }).toEqual(theirs);
      });
    });
  }
}

function editedBy(mode: EditingMode, keys: string): EditedLine {
  const history = { length: oracleHistory.length, at: (index: number) => oracleHistory[index] };
  const editor = new LineEditor({ mode, history });
  const decoder = new KeyDecoder();
  for (const event of [...decoder.push(Buffer.from(keys)), ...decoder.flush()]) editor.handle(event);
  const { text, cursor } = editor.view;
  return { text, point: Array.from(text.slice(0, cursor)).length };
}
