/**
 * From node to node: a stage that writes much is joined to the next one without this machine between them, where its node can log in to the
 * other's. The first bytes come by this machine, which costs no time; `nsh-agent feed` there carries what follows, and where it cannot it
 * says so, and the bytes go on as before.
 */
import type { ProcessRef } from '../../src/protocol/process.ts';
import { quoteWord } from './quote.ts';

/** A bash on a node whose stdin can be fed. */
export interface ReaderAddress {
  /** Name of its cluster, and how an agent is run there. */
  readonly cluster: string;
  readonly agentCommand: string;
  readonly node: number;
  readonly process: ProcessRef & { readonly boot: string };
  /** Of its shim. */
  readonly socket: string;
}

/** `nsh-agent feed` has read nothing, for it has no way to the other node. */
const noWayStatus = 3;

/** How many bytes go by this machine. */
const directFromBytes = 1024 * 1024;

/** Between two stages: who reads tells where it is, as soon as it runs; undefined where it does not. */
export class DirectLink {
  readonly reader: Promise<ReaderAddress | undefined>;
  announce: (address: ReaderAddress | undefined) => void = () => {};

  constructor() {
    this.reader = new Promise((resolve) => {
      this.announce = resolve;
    });
  }
}

/** The driver of a stage that feeds another one. On one line, for LINENO. */
export function feedingDriver(driver: string, reader: ReaderAddress, timeoutSeconds: number): string {
  const { cluster, agentCommand, node, process, socket } = reader;
  const words = [
    `feed --cluster ${quoteWord(cluster)} --node ${node} --socket ${quoteWord(socket)}`,
    `--process ${process.pid}:${process.start}:${quoteWord(process.boot)}`,
    `--behind ${directFromBytes} --timeout ${timeoutSeconds}`,
  ].join(' ');
  // tee shows every byte at once; wc tells whether there may be more.
  const count = `n=$(head -c ${directFromBytes} | tee /dev/fd/5 | wc -c)`;
  const rest = [
    `r=0; if ((n == ${directFromBytes})); then ${agentCommand} ${words} 5>&-; r=$?`,
    `if ((r == ${noWayStatus})); then cat; r=$?; fi; fi; exit $r`,
  ].join('; ');
  return `{ ${driver}; } | { \\exec 3<&- 4>&- 5>&1; ${count}; ${rest}; }; s=("\${PIPESTATUS[@]}"); ((s[1] == 255)) && exit 255; exit "\${s[0]}"`;
}
