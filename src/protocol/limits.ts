/** Every bound of the wire, in one place, so that both ends agree and a hostile peer meets it. */

/** One JSON text on a control connection. 64 MiB holds the process table of 100,000 processes. */
export const maxLineBytes = 64 * 1024 * 1024;
/** What a client may send to an agent in one line: a `run` with a large environment (ARG_MAX is 2 MiB) fits. */
export const maxRequestBytes = 8 * 1024 * 1024;
/** Payload of one stream frame. */
export const maxFrameBytes = 1024 * 1024;
/** Payload of an open, opened or exit frame, which are JSON. */
export const maxHeadFrameBytes = 64 * 1024;
/** Text that a process gets on its channel: a session's state and a line of some megabytes, in a request that may hold them. */
export const maxChannelTextBytes = 3_500_000;
/** Report that it leaves there: one frame. */
export const maxChannelBytes = 1_000_000;
/** Characters of the name of a managed process. */
export const maxNameLength = 128;
/** Characters of a path. */
export const maxPathLength = 4096;
/** Bytes that may be on their way to a client of a terminal without an ack: small, so that Ctrl-C on a flood shows at once. */
export const ptyWindowBytes = 256 * 1024;
/** The same for pipes, where throughput counts. */
export const pipeWindowBytes = 4 * 1024 * 1024;
/** Standard input that the shim takes before the process has read it. */
export const stdinWindowBytes = 1024 * 1024;
/** A client that did not start the process and is further behind than this is redrawn from the screen. */
export const maxBehindBytes = 1024 * 1024;

export const defaultDeadlineMs = 5_000;
export const loginDeadlineMs = 15_000;
export const progressAfterMs = 1_000;

/** Kept output by default: terminals and detached processes. */
export const defaultKeepBytes = 8 * 1024 * 1024;
/** Kept output by default: foreground pipes. */
export const foregroundPipeKeepBytes = 64 * 1024;
