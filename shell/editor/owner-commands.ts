/** Commands that are the owner's to carry out: the editor only asks. */
import type { EditorCommand, EditorState } from './editor-state.ts';

/** Enter: hands the text over where it is finished, else begins another line. */
export const accept: EditorCommand = (state) => {
  const { text } = state.buffer;
  if (state.isUnfinished(text)) beginLine(state);
  else state.request({ type: 'accept', text });
};

/** In vi's command mode the cursor stands on a character, so that the line goes on at the end. */
function beginLine({ buffer, mode, vi }: EditorState): void {
  if (mode === 'vi' && vi.isCommand) {
    buffer.cursor = buffer.text.length;
    vi.isCommand = false;
  }
  buffer.insert('\n');
}

/** C-g: gives up what was begun: a count, a prefix. */
export const abort: EditorCommand = (state) => state.bell();

export const interrupt: EditorCommand = (state) => state.request({ type: 'interrupt' });

export const clearScreen: EditorCommand = (state) => state.request({ type: 'clear-screen' });

export const complete: EditorCommand = (state) => state.request({ type: 'complete', how: 'menu', backward: false });

export const completeBackward: EditorCommand = (state) =>
  state.request({ type: 'complete', how: 'menu', backward: true });

export const listCompletions: EditorCommand = (state) =>
  state.request({ type: 'complete', how: 'list', backward: false });

export const insertAllCompletions: EditorCommand = (state) =>
  state.request({ type: 'complete', how: 'insert-all', backward: false });

/** C-x C-e */
export const editExternally: EditorCommand = (state) =>
  state.request({ type: 'edit-externally', text: state.buffer.text });

/** M-#: keeps the line in the history without running it. With a count, a comment sign that is there goes. */
export const insertComment: EditorCommand = (state, { isExplicit }) => {
  const { buffer } = state;
  const { text } = buffer;
  const isRemoved = isExplicit && text.startsWith('#');
  buffer.replace(0, text.length, isRemoved ? text.replace(/^#/gm, '') : text.replace(/^/gm, '#'));
  state.request({ type: 'accept', text: buffer.text });
};
