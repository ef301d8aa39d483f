/** Byte texts: scripts and values as bash has them, one character a byte (latin1), so that what is no UTF-8 passes unharmed. */

/** One character is one byte. */
export type ByteText = string;

export function toByteText(text: string): ByteText {
  return Buffer.from(text, 'utf8').toString('latin1');
}

/** For people to read; what is no UTF-8 becomes replacement characters. */
export function fromByteText(text: ByteText): string {
  return Buffer.from(text, 'latin1').toString('utf8');
}
