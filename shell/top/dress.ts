/** Colours and attributes of the screen of `top`. Without colour only bold and reverse video are used. */

export interface Dress {
  readonly bold: (text: string) => string;
  readonly dim: (text: string) => string;
  readonly reverse: (text: string) => string;
  readonly red: (text: string) => string;
  readonly green: (text: string) => string;
  readonly yellow: (text: string) => string;
  readonly cyan: (text: string) => string;
}

type Wrap = (text: string) => string;

function wrap(on: number, off: number): Wrap {
  return (text) => (text === '' ? '' : `\u001b[${on}m${text}\u001b[${off}m`);
}

const plain: Wrap = (text) => text;

/** For output that is not a terminal. */
export const undressed: Dress = {
  bold: plain,
  dim: plain,
  reverse: plain,
  red: plain,
  green: plain,
  yellow: plain,
  cyan: plain,
};

export function dress(colour: boolean): Dress {
  const attributes = { bold: wrap(1, 22), reverse: wrap(7, 27) };
  if (!colour) return { ...undressed, ...attributes };
  return {
    ...attributes,
    dim: wrap(2, 22),
    red: wrap(31, 39),
    green: wrap(32, 39),
    yellow: wrap(33, 39),
    cyan: wrap(36, 39),
  };
}
