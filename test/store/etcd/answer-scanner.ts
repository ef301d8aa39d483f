/** Tells when an answer begins in what an HTTP/2 server sends (RFC 9113, section 4.1): the first HEADERS frame of each stream. */

const frameHeaderBytes = 9;
const headersFrame = 1;

export class AnswerScanner {
  #rest = Buffer.alloc(0);
  /** Bytes of the current frame's payload that are yet to come. */
  #payload = 0;
  #highestStream = 0;

  /** How many answers begin in this piece. Streams are numbered upwards, so that a later HEADERS frame of one is its trailers. */
  answersIn(piece: Buffer): number {
    let found = 0;
    let data = Buffer.concat([this.#rest, piece]);
    for (;;) {
      const skipped = Math.min(this.#payload, data.length);
      data = data.subarray(skipped);
      this.#payload -= skipped;
      if (this.#payload > 0 || data.length < frameHeaderBytes) break;
      const stream = data.readUInt32BE(5) & 0x7fff_ffff;
      if (data[3] === headersFrame && stream > this.#highestStream) {
        found += 1;
        this.#highestStream = stream;
      }
      this.#payload = data.readUIntBE(0, 3);
      data = data.subarray(frameHeaderBytes);
    }
    this.#rest = Buffer.from(data);
    return found;
  }
}
