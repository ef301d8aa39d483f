import { describe, expect, it } from 'vitest';
import { StopNotice } from '../../../shell/terminal/stop-notice.ts';

const notice = '\u001b]7717;tok;148\u0007';
const ready = '\u001b]7717;tok;0\u0007';
const line = '[1]+  Stopped                 bash --norc --noprofile -c "$1" "$0"\r\n';

/** Pushes the text in pieces. */
function run(text: string, pieceBytes: number): { shown: string; stops: (number | 'ready')[] } {
  const filter = new StopNotice('tok');
  const bytes = Buffer.from(text, 'latin1');
  let shown = '';
  const stops: (number | 'ready')[] = [];
  for (let at = 0; at < bytes.length; at += pieceBytes) {
    const { output, stopped, isReady } = filter.push(bytes.subarray(at, at + pieceBytes));
    shown += output.toString('latin1');
    if (isReady) stops.push('ready');
    if (stopped !== undefined) stops.push(stopped);
  }
  return { shown: shown + filter.flush().toString('latin1'), stops };
}

describe.each([1, 2, 3, 7, 64, 10_000])('a stop notice in pieces of %i bytes', (size) => {
  it.each([
    ['alone', notice, '', [148]],
    ['behind the line of bash', `^Z\r\n${line}${notice}`, '^Z\r\n', [148]],
    ['that erases that line', `^Z\r\n${line}\u001b[A\u001b[2K${notice}`, '^Z\r\n', [148]],
    ['that the job is called back, before what it writes', `sleep 5\r\n${ready}out`, 'sleep 5\r\nout', ['ready']],
    ['that it is called back and stops at once', `${ready}^Z\r\n${line}${notice}`, '^Z\r\n', ['ready', 148]],
    ['of another token', '\u001b]7717;kot;148\u0007x', '\u001b]7717;kot;148\u0007x', []],
    ['that is none', `${line}and so on\r\n\u001b]7717;tok;\r\n`, `${line}and so on\r\n\u001b]7717;tok;\r\n`, []],
    ['in a flood', `${'y\r\n'.repeat(3000)}${line}${notice}`, 'y\r\n'.repeat(3000), [148]],
    ['and bytes of every value', `\xff\xfe${notice}\x00\x80`, '\xff\xfe\x00\x80', [148]],
  ])('%s', (_what, text, shown, stops) => {
    expect(run(text, size)).toEqual({ shown, stops });
  });
});

it('holds back only what may be the beginning of one', () => {
  const filter = new StopNotice('tok');
  for (const text of ['$ ', 'line\r\n', '[2] x', `a${line}${notice}`, '\u001b[m']) {
    const { output, stopped } = filter.push(Buffer.from(text));
    expect(output.toString()).toBe(stopped === undefined ? text : 'a');
    expect(filter.isHolding).toBe(false);
  }
  expect(filter.push(Buffer.from(`${line}tick\r\n`)).output.toString()).toBe(`${line}tick\r\n`);
  // A bracket in the middle of a line is shown when it is typed.
  expect(filter.push(Buffer.from('see [')).output.toString()).toBe('see [');
  expect(filter.push(Buffer.from('\r\n[')).output.toString()).toBe('\r\n');
  expect(filter.isHolding).toBe(true);
  expect(filter.push(Buffer.from('2]')).output.toString()).toBe('[2]');
});
