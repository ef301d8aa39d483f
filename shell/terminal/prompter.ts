/**
 * Asks the person on the controlling terminal (/dev/tty, as ssh does, so that stdin may be a pipe): passwords, passphrases, host
 * keys. One question at a time; what a host said is escaped; Ctrl-C and Ctrl-D on an empty line decline.
 */
import { closeSync, openSync } from 'node:fs';
import { ReadStream, WriteStream } from 'node:tty';
import { NshError } from '../../src/protocol/errors.ts';
import type { PromptParams } from '../../src/protocol/control.ts';
import { escapeLines } from '../escape.ts';
import { LineEditor } from './line-editor.ts';
import { suspendCurrentTerminal } from './current-terminal.ts';

/** What is asked; `node` names whose question it is. */
export type Question = Pick<PromptParams, 'node' | 'text' | 'echo'>;
export type Prompter = (request: Question) => Promise<string>;

/** @returns undefined where there is no controlling terminal: nobody can be asked. */
export function createPrompter(path = '/dev/tty', beforeAsking: () => void = () => {}): Prompter | undefined {
  try {
    closeSync(openSync(path, 'r+'));
  } catch {
    // ENXIO: no controlling terminal, as under cron or setsid.
    return undefined;
  }
  let last: Promise<unknown> = Promise.resolve();
  return (request) => {
    const answer = last.then(() => {
      beforeAsking();
      return ask(path, request);
    });
    // The next question comes after this one, whatever became of it.
    last = answer.catch(() => {});
    return answer;
  };
}

async function ask(path: string, request: Question): Promise<string> {
  const giveBack = suspendCurrentTerminal();
  const input = new ReadStream(openSync(path, 'r'));
  const output = new WriteStream(openSync(path, 'w'));
  // Restored also where the program ends in the middle of the question.
  const restore = (): void => void input.setRawMode(false);
  process.once('exit', restore);
  try {
    input.setRawMode(true);
    output.write(escapeLines(request.text));
    return await readLine(input, output, request);
  } finally {
    process.off('exit', restore);
    restore();
    input.destroy();
    output.destroy();
    giveBack();
  }
}

function readLine(input: ReadStream, output: WriteStream, request: Question): Promise<string> {
  return new Promise((resolve, reject) => {
    const editor = new LineEditor(request.echo);
    const decline = (): void => {
      reject(new NshError('cancelled', `${escapeLines(request.node)}: no answer was given`));
    };
    input.on('data', (bytes: Buffer) => {
      const { show, done } = editor.feed(bytes);
      if (show !== '') output.write(show);
      if (done === 'entered') resolve(editor.text);
      else if (done === 'cancelled') decline();
    });
    input.once('end', decline);
    input.once('error', decline);
  });
}
