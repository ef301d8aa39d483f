/** Everything that can be seen of an emulator, and what will matter for what comes next, as comparable data. */
import { makeEmulator, readHiddenState, type Emulator } from '../../../agent/screen/emulator.ts';

export function snapshot(emulator: Emulator): Record<string, unknown> {
  const { active, normal } = emulator.buffer;
  const { cursorX, cursorY } = active;
  return {
    size: [emulator.cols, emulator.rows],
    type: active.type,
    cursor: [cursorX, cursorY],
    modes: { ...emulator.modes, synchronizedOutputMode: undefined },
    hidden: readHiddenState(emulator),
    screen: lines(emulator, active, active.baseY),
    history:
      active.type === 'normal'
        ? lines(emulator, normal, 0)
            .slice(0, normal.baseY)
            .map((line) => line.trimEnd())
        : [],
    colours: colours(emulator),
  };
}

type Buffer_ = Emulator['buffer']['active'];

function lines(emulator: Emulator, buffer: Buffer_, from: number): string[] {
  const found = [];
  for (let row = from; row < from + Math.max(emulator.rows, buffer.length - from); row++) {
    found.push(buffer.getLine(row)?.translateToString(false) ?? '');
  }
  return found;
}

function colours(emulator: Emulator): string[] {
  const { active } = emulator.buffer;
  const found = [];
  for (let row = 0; row < emulator.rows; row++) {
    const line = active.getLine(active.baseY + row);
    let text = '';
    for (let column = 0; column < emulator.cols; column++) {
      const cell = line?.getCell(column);
      if (cell === undefined) continue;
      const flags = [
        cell.isBold(),
        cell.isDim(),
        cell.isItalic(),
        cell.isUnderline(),
        cell.isInverse(),
        cell.isInvisible(),
      ];
      text += `${flags.map(Number).join('')}/${cell.getFgColorMode()}:${cell.getFgColor()}/${cell.getBgColorMode()}:${cell.getBgColor()} `;
    }
    found.push(text);
  }
  return found;
}

export function write(emulator: Emulator, data: Uint8Array | string): Promise<void> {
  return new Promise((resolve) => emulator.write(data, resolve));
}

export async function emulatorWith(cols: number, rows: number, data: Uint8Array | string): Promise<Emulator> {
  const emulator = makeEmulator(cols, rows, 1000);
  await write(emulator, data);
  return emulator;
}
