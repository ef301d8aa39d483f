/** The window sizes of the clients of one terminal, by who was active last. Pure. */

export interface WindowSize {
  readonly cols: number;
  readonly rows: number;
}

export class ClientSizes<Client> {
  /** In order of their last activity. */
  readonly #sizes = new Map<Client, WindowSize>();
  #latest: Client | undefined;
  /** Whose size the terminal has. */
  #holder: Client | undefined;

  /** A client came with its size, or changed it: the terminal takes it. */
  set(client: Client, size: WindowSize): void {
    this.#holder = client;
    this.#moveToEnd(client, size);
  }

  /** It typed: among those that stay it comes first now. */
  active(client: Client): void {
    if (this.#latest === client) return;
    const size = this.#sizes.get(client);
    if (size !== undefined) this.#moveToEnd(client, size);
  }

  /** @returns true where the terminal has its size. */
  isHolder(client: Client): boolean {
    return this.#holder === client;
  }

  /** It has gone; whether the terminal shall have another size is told by `next`. */
  delete(client: Client): void {
    this.#sizes.delete(client);
    if (this.#latest === client) this.#latest = undefined;
  }

  /** The size of the client that was active last, which holds the terminal from now on; undefined where none is left with a size. */
  next(): WindowSize | undefined {
    const [client, size] = [...this.#sizes].at(-1) ?? [];
    this.#holder = client;
    return size;
  }

  #moveToEnd(client: Client, size: WindowSize): void {
    this.#sizes.delete(client);
    this.#sizes.set(client, size);
    this.#latest = client;
  }
}
