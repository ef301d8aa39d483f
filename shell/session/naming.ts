/** Small forms that a session's messages and tables share. */

/** `web1: ` before what concerns a node; nothing for the session's own machine. */
export function nodeText(node: string): string {
  return node === '' ? '' : `${node}: `;
}

/** The map but for some names. */
export function without<T>(map: ReadonlyMap<string, T>, names: ReadonlySet<string>): ReadonlyMap<string, T> {
  return names.size === 0 ? map : new Map([...map].filter(([name]) => !names.has(name)));
}
