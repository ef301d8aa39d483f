/** What a remote host says, made fit for a message: control characters (and with them escape sequences) become `?`, and it is cut. */
export function printable(text: string, maxLength = 500): string {
  const plain = text.replaceAll(/[\0-\x08\x0b-\x1f\x7f-\x9f]/g, '?').trim();
  return plain.length > maxLength ? `${plain.slice(0, maxLength)}…` : plain;
}
