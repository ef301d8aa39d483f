import { describe, expect, it } from 'vitest';
import { ModeTracker } from '../../../shell/terminal/mode-tracker.ts';

const escape = '\u001b';

function undo(...pieces: string[]): string {
  const tracker = new ModeTracker();
  for (const piece of pieces) tracker.see(Buffer.from(piece, 'latin1'));
  return tracker.undo().replaceAll(escape, 'E');
}

describe('the mode tracker', () => {
  it.each([
    ['plain text', 'hello\r\n', ''],
    ['cursor movement and erasing', 'E[2JE[H\u0007E[3;4HE[K', ''],
    ['the alternate screen', 'E[?1049h', 'E[?1049l'],
    ['the alternate screen, left again', 'E[?1049hxE[?1049l', ''],
    ['several modes at once', 'E[?1000;1006h', 'E[?1000lE[?1006l'],
    ['bracketed paste', 'E[?2004h', 'E[?2004l'],
    ['a hidden cursor', 'E[?25l', 'E[?25h'],
    ['no autowrap', 'E[?7l', 'E[?7h'],
    ['application cursor keys and keypad', 'E[?1hE=', 'E[?1lE>'],
    ['insert mode', 'E[4h', 'E[4l'],
    ['colours', 'E[1;31mred', 'E[m'],
    ['colours that were reset', 'E[1;31mredE[0m', ''],
    ['colours that were reset at the end of a sequence', 'E[31mxE[1;0m', ''],
    ['colours that were reset without a number', 'E[31mxE[m', ''],
    ['a colour whose number ends in 0', 'E[100m', 'E[m'],
    ['a scroll region', 'E[2;20r', 'E7E[rE8'],
    ['a scroll region that was reset', 'E[2;20rE[r', ''],
    ['the cursor shape', 'E[5 q', 'E[0 q'],
    ['the cursor shape, reset', 'E[5 qE[0 q', ''],
    ['line drawing', 'E(0', 'E(BE)B'],
    ['shift out', 'a\u000eb', '\u000f'],
    ['shift out and in', 'a\u000eb\u000fc', ''],
    ['the kitty keyboard', 'E[>1u', 'E[<1u'],
    ['the kitty keyboard, twice, once undone', 'E[>1uE[>3uE[<u', 'E[<1u'],
    ['the kitty keyboard on both screens', 'E[>1uE[?1049hE[>5u', 'E[<1uE[?1049lE[<1u'],
    ['modifyOtherKeys', 'E[>4;2m', 'E[>4;0m'],
    ['a hyperlink', 'E]8;;http://x\u0007text', 'E]8;;E\\'],
    ['a hyperlink that was closed', 'E]8;;http://xE\\textE]8;;E\\', ''],
    ['a changed background colour', 'E]11;#102030\u0007', 'E]104E\\E]110E\\E]111E\\E]112E\\'],
    ['a question for the background colour', 'E]11;?\u0007', ''],
    ['a title', 'E]0;[?1049h is only text here\u0007', ''],
    ['an unfinished title', 'E]0;half', 'E\\'],
    ['an unfinished sequence', 'E[?10', '\u0018'],
    ['a full reset', 'E[?1049hE[?25lE[31mEc', ''],
    ['a soft reset', 'E[?25lE[!p', ''],
    ['a device control string with escapes within', 'EPtmux;xE\\', ''],
    ['unknown modes', 'E[?31337hE[>5;5z', ''],
  ])('undoes %s', (_title, bytes, expected) => {
    const sent = bytes.replaceAll('E', escape);
    expect(undo(sent)).toBe(expected);
    expect(undo(...Array.from(sent)), 'the same byte by byte').toBe(expected);
  });

  it('has nothing left to undo afterwards', () => {
    const tracker = new ModeTracker();
    tracker.see(Buffer.from('\u001b[?1049h\u001b[?1000h'));
    tracker.undo();
    expect(tracker.undo()).toBe('');
  });

  it('switches off also what was not seen where nobody planned the end, but not the alternate screen', () => {
    const all = new ModeTracker().undoAll();
    for (const mode of [1000, 1002, 1003, 1006, 2004]) expect(all).toContain(`\u001b[?${mode}l`);
    expect(all).toContain('\u001b[?25h');
    expect(all).not.toContain('1049');
  });

  it('keeps up with plain output', () => {
    const tracker = new ModeTracker();
    const line = Buffer.alloc(64 * 1024, 'plain text without any escape at all\r\n');
    const began = performance.now();
    for (let i = 0; i < 1600; i++) tracker.see(line);
    // 100 MiB; a terminal takes far longer.
    expect(performance.now() - began).toBeLessThan(1_000);
  });
});
