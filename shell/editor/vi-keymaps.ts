/** vi mode's keys, insert and command, as readline has them. Motions are in vi-motions.ts, operators in vi-operators.ts. */
import type { EditorCommand, Keymap } from './editor-state.ts';
import { commonKeys } from './emacs-keymap.ts';
import * as history from './history-commands.ts';
import { searchBackward, searchForward } from './incremental-search.ts';
import * as kill from './kill-commands.ts';
import * as move from './move-commands.ts';
import * as owner from './owner-commands.ts';
import * as text from './text-commands.ts';
import * as vi from './vi-commands.ts';
import { endInsert, repeatChange } from './vi-insert.ts';
import { operatorCommand, operatorWith } from './vi-operators.ts';
import { searchAgain, searchCommand } from './vi-search.ts';

const inBothModes: readonly (readonly [string, EditorCommand])[] = [
  ['C-d', viEnd],
  ['C-g', owner.abort],
  ['C-k', kill.killLine],
  ['C-n', history.nextLineOrHistory],
  ['C-p', history.previousLineOrHistory],
  ['C-q', text.quotedInsert],
  ['C-r', searchBackward],
  ['C-s', searchForward],
  ['C-t', text.transposeChars],
  ['C-u', kill.unixLineDiscard],
  ['C-v', text.quotedInsert],
  ['C-w', kill.unixWordRubout],
  ['C-y', kill.yank],
  ['C-_', text.undo],
];

export const viInsertKeymap: Keymap = new Map<string, EditorCommand>([
  ...commonKeys,
  ...inBothModes,
  ['escape', endInsert],
  ['C-a', move.beginningOfLine],
  ['C-b', move.backwardChar],
  ['C-e', move.endOfLine],
  ['C-f', move.forwardChar],
  ['C-h', kill.backwardDeleteChar],
  ['backspace', kill.backwardDeleteChar],
  ['S-backspace', kill.backwardDeleteChar],
  ['C-backspace', kill.backwardKillWord],
]);

export const viCommandKeymap: Keymap = new Map<string, EditorCommand>([
  ...commonKeys,
  ...inBothModes,
  ...vi.moves,
  ['escape', owner.abort],
  ['d', operatorCommand('d')],
  ['c', operatorCommand('c')],
  ['y', operatorCommand('y')],
  ['D', operatorWith('d', '$')],
  ['C', operatorWith('c', '$')],
  ['Y', operatorWith('y', '$')],
  ['S', operatorWith('c', 'c')],
  ['s', operatorWith('c', 'l')],
  ['x', operatorWith('d', 'l')],
  ['delete', operatorWith('d', 'l')],
  ['X', operatorWith('d', 'h')],
  ['i', vi.insertHere],
  ['insert', vi.insertHere],
  ['I', vi.insertAtStart],
  ['a', vi.append],
  ['A', vi.appendAtEnd],
  ['R', vi.replaceMode],
  ['r', vi.replaceCharacter],
  ['~', vi.changeCase],
  ['p', vi.put(true)],
  ['P', vi.put(false)],
  ['u', text.undo],
  ['U', text.revertLine],
  ['C-M-_', text.redo],
  ['.', repeatChange],
  ['/', searchCommand('/')],
  ['?', searchCommand('?')],
  ['n', searchAgain(false)],
  ['N', searchAgain(true)],
  ['G', vi.fetchHistory],
  ['j', history.nextLineOrHistory],
  ['k', history.previousLineOrHistory],
  ['+', history.nextLineOrHistory],
  ['-', history.previousLineOrHistory],
  ['m', vi.nameMark],
  ['_', vi.yankArgument],
  ['v', owner.editExternally],
  ['#', owner.insertComment],
  ['=', owner.listCompletions],
  ['*', owner.insertAllCompletions],
  ['\\', owner.complete],
]);

/** C-d: the end on an empty line, elsewhere as Enter. */
function viEnd(...[state, invocation]: Parameters<EditorCommand>): void {
  if (state.buffer.text === '') state.request({ type: 'end' });
  else owner.accept(state, invocation);
}
