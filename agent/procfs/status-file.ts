/** /proc/PID/status: `Key:\tvalue` lines. `Name:` comes first and has its newlines escaped by the kernel, so that no process can fake a key. */

/** Text after a key, without its blanks; undefined where the kernel does not give it. */
export function statusText(status: string, key: string): string | undefined {
  const at = status.indexOf(`\n${key}:`);
  if (at < 0) return undefined;
  const end = status.indexOf('\n', at + 1);
  return status.slice(at + key.length + 2, end < 0 ? undefined : end).trim();
}

/** The number at `position` of a key's values. */
export function statusNumber(status: string, key: string, position = 0): number | null {
  const at = status.indexOf(`\n${key}:`);
  if (at < 0) return null;
  let i = at + key.length + 2;
  for (let seen = 0; ; seen++) {
    while (isBlank(status.charCodeAt(i))) i++;
    const from = i;
    let value = 0;
    for (let digit = status.charCodeAt(i) - 48; digit >= 0 && digit <= 9; digit = status.charCodeAt(++i) - 48) {
      value = value * 10 + digit;
    }
    if (i === from) return null;
    if (seen === position) return value;
  }
}

function isBlank(code: number): boolean {
  return code === 0x20 || code === 0x09;
}
