/**
 * Text that the kernel gives as bytes. Valid UTF-8 is kept; each byte that belongs to no valid sequence becomes one U+FFFD, as
 * procps shows one `?` for each.
 */

export function decodeText(bytes: Buffer, start: number, end: number): string {
  const latin1 = bytes.toString('latin1', start, end);
  if (!beyondAscii.test(latin1)) return latin1;
  const text = bytes.toString('utf8', start, end);
  return text.includes('\ufffd') ? decodeBroken(bytes, start, end) : text;
}

const beyondAscii = /[\x80-\xff]/;

function decodeBroken(bytes: Buffer, start: number, end: number): string {
  let text = '';
  for (let i = start; i < end; ) {
    const length = sequenceLength(bytes[i] ?? 0);
    const piece = length > 0 && i + length <= end ? bytes.toString('utf8', i, i + length) : '\ufffd';
    if (piece.includes('\ufffd')) {
      text += '\ufffd';
      i++;
    } else {
      text += piece;
      i += length;
    }
  }
  return text;
}

function sequenceLength(lead: number): number {
  if (lead < 0x80) return 1;
  if (lead >= 0xc2 && lead <= 0xdf) return 2;
  if (lead >= 0xe0 && lead <= 0xef) return 3;
  return lead >= 0xf0 && lead <= 0xf4 ? 4 : 0;
}
