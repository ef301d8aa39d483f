/**
 * The one error class that crosses nsh's seams, its stable codes, and the exit status each code means.
 * A message that a person sees names the node and the process and says what to do next.
 * A new code goes into `errorCodes`, and where it ends a command, into man/nsh.1 (EXIT STATUS).
 */

/** code → [JSON-RPC error number, exit status of a command that fails for this reason alone]. */
export const errorCodes = {
  usage: [-32602, 2],
  invalidMessage: [-32600, 255],
  parseError: [-32700, 255],
  unknownMethod: [-32601, 255],
  invalidParams: [-32602, 255],
  internal: [-32603, 255],
  tooLarge: [-32001, 255],
  protocolMismatch: [-32002, 255],
  wrongNode: [-32003, 255],
  unknownNode: [-32004, 2],
  noSuchProcess: [-32005, 1],
  recycledPid: [-32006, 1],
  notPermitted: [-32007, 1],
  notManaged: [-32008, 1],
  cancelled: [-32009, 130],
  timeout: [-32010, 255],
  unreachable: [-32011, 255],
  hostKeyChanged: [-32012, 255],
  hostKeyUnknown: [-32013, 255],
  authFailed: [-32014, 255],
  noAgent: [-32015, 255],
  agentFailed: [-32016, 255],
  linkLost: [-32017, 255],
  offsetGone: [-32018, 1],
  commandNotFound: [-32019, 127],
  commandNotExecutable: [-32020, 126],
  badDirectory: [-32021, 126],
  clusterFile: [-32022, 2],
  nodeset: [-32023, 2],
  unsafeSocket: [-32024, 255],
  unsupported: [-32025, 255],
  spawnFailed: [-32026, 126],
  logLost: [-32027, 1],
  storeUnavailable: [-32028, 255],
  storeUnknown: [-32029, 255],
  storeCompacted: [-32030, 255],
  sessionLost: [-32031, 255],
  storeClosed: [-32032, 255],
  staleToken: [-32040, 1],
  taken: [-32041, 1],
  sizeDiffers: [-32042, 1],
  unknownGroup: [-32043, 1],
  unplaceable: [-32044, 1],
} as const satisfies Record<string, readonly [number, number]>;

export type ErrorCode = keyof typeof errorCodes;

export interface NshErrorOptions {
  /** Structured facts for programs (`--json`, SDK); nothing secret. */
  readonly data?: Readonly<Record<string, unknown>>;
  readonly cause?: unknown;
}

export class NshError extends Error {
  override readonly name = 'NshError';
  readonly code: ErrorCode;
  readonly data: Readonly<Record<string, unknown>> | undefined;

  constructor(code: ErrorCode, message: string, options: NshErrorOptions = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.code = code;
    this.data = options.data;
  }

  /** What a command that ends for this reason exits with. */
  get exitStatus(): number {
    return errorCodes[this.code][1];
  }
}

/** The shape of an error on the wire: JSON-RPC's, with the stable code in `data.code`. */
export interface WireError {
  readonly code: number;
  readonly message: string;
  readonly data?: Readonly<Record<string, unknown>>;
}

export function toWireError(error: unknown): WireError {
  const known = toNshError(error);
  return { code: errorCodes[known.code][0], message: known.message, data: { ...known.data, code: known.code } };
}

export function fromWireError(wire: WireError): NshError {
  const { code, ...data } = wire.data ?? {};
  const known = typeof code === 'string' && code in errorCodes ? (code as ErrorCode) : 'internal';
  return new NshError(known, wire.message, { data });
}

/** Anything that was thrown, as an NshError; a foreign error keeps its message and becomes the cause. */
export function toNshError(error: unknown, code: ErrorCode = 'internal'): NshError {
  if (error instanceof NshError) return error;
  const message = error instanceof Error ? error.message : String(error);
  // Parts are loaded when they are needed first: an upgrade takes those of the version that runs away.
  const isMissing = (error as NodeJS.ErrnoException | undefined)?.code === 'ERR_MODULE_NOT_FOUND';
  const upgraded = 'a part of nsh is not there; where nsh was upgraded meanwhile begin anew, what it runs goes on: ';
  return new NshError(code, isMissing ? upgraded + message : message, { cause: error });
}
