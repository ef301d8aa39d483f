/**
 * Processes as a person types them: `30004711`, `3.4711`, `web1.4711`, `815` (a local PID of the current node), each with a
 * leading `-` for the process group of that number.
 */
import { NshError } from '../protocol/errors.ts';
import {
  isLocalPid,
  localPid,
  makeGpid,
  maxLocalPid,
  maxNodeId,
  splitGpid,
  type Gpid,
  type LocalPid,
  type NodeId,
} from './gpid.ts';
import { suggestNear } from './near.ts';
import { quoteText } from './quote-text.ts';

/** What must be known of the cluster to read a process name. */
export interface ProcessNameContext {
  /** Whose local PIDs a number below 10^7 means. */
  readonly current: NodeId;
  /** Every node that can be named, this machine included. */
  readonly nodes: readonly { readonly id: NodeId; readonly name: string }[];
}

export interface ProcessName {
  readonly node: NodeId;
  readonly pid: LocalPid;
  readonly gpid: Gpid;
  /** The process group that this process leads, or led. */
  readonly group: boolean;
}

/**
 * @throws NshError `usage` (not a process name at all), `unknownNode`, or `noSuchProcess` (a number that no process can have).
 */
export function parseProcessName(text: string, context: ProcessNameContext): ProcessName {
  const group = text.startsWith('-');
  const word = group ? text.slice(1) : text;
  const dot = word.lastIndexOf('.');
  const digits = word.slice(dot + 1);
  if (!/^\d+$/.test(digits) || dot === 0) throw notAProcess(text, context);
  const { node, pid } =
    dot < 0 ? readNumber(text, digits, context) : readPair(text, word.slice(0, dot), digits, context);
  if (group && pid === 1) {
    throw new NshError(
      'usage',
      `${quoteText(text)}: for kill(2) -1 means every process of a node; name the processes or their groups instead`,
    );
  }
  return { node, pid, gpid: makeGpid(node, pid), group };
}

function readNumber(text: string, digits: string, context: ProcessNameContext): { node: NodeId; pid: LocalPid } {
  const number = Number(digits);
  if (number < firstGpid) return { node: context.current, pid: checkLocalPid(text, number) };
  const parts = splitGpid(number);
  if (parts === undefined) throw impossible(text, number);
  if (!context.nodes.some((node) => node.id === parts.node)) {
    throw new NshError(
      'unknownNode',
      `${quoteText(text)} would be process ${parts.pid} of node ${parts.node}, but the cluster has no node ${parts.node}${listIds(context)}`,
    );
  }
  return parts;
}

/** The smallest number that names another node's process. */
const firstGpid = 10_000_000;

function readPair(
  text: string,
  name: string,
  digits: string,
  context: ProcessNameContext,
): { node: NodeId; pid: LocalPid } {
  const node = context.nodes.find((known) => known.name === name || (/^\d+$/.test(name) && known.id === Number(name)));
  if (node === undefined) {
    const hint = /^\d+$/.test(name)
      ? listIds(context)
      : suggestNear(
          name,
          context.nodes.map((known) => known.name),
        );
    throw new NshError('unknownNode', `the cluster has no node ${quoteText(name)}, named in ${quoteText(text)}${hint}`);
  }
  return { node: node.id, pid: checkLocalPid(text, Number(digits)) };
}

function checkLocalPid(text: string, pid: number): LocalPid {
  if (isLocalPid(pid)) return pid;
  if (pid === 0)
    throw new NshError(
      'noSuchProcess',
      `${quoteText(text)}: PID 0 is the kernel's, no process has it; PIDs begin at 1`,
    );
  throw new NshError(
    'noSuchProcess',
    `${quoteText(text)}: no process has PID ${pid}; a node's PIDs end at ${maxLocalPid}`,
  );
}

function impossible(text: string, number: number): NshError {
  const pid = number % firstGpid;
  const node = Math.floor(number / firstGpid);
  const why =
    node > maxNodeId
      ? `node ids end at ${maxNodeId}`
      : `it would be PID ${pid} of node ${node}, and a node's PIDs run from 1 to ${maxLocalPid}`;
  return new NshError('noSuchProcess', `${quoteText(text)}: no process can have that number; ${why}`);
}

function notAProcess(text: string, context: ProcessNameContext): NshError {
  const example = context.nodes.at(-1);
  const spelled =
    example === undefined || example.id === 0
      ? ''
      : `, ${makeGpid(example.id, localPid(4711))} or ${example.name}.4711`;
  return new NshError('usage', `${quoteText(text)} is not a process; write a PID such as 4711${spelled}`);
}

function listIds(context: ProcessNameContext): string {
  const ids = context.nodes.map((node) => node.id);
  return ids.length === 0 || ids.length > 12 ? '' : `; its node ids are ${ids.join(', ')}`;
}
