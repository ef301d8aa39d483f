/**
 * `nsh logs web` and `web/2`: the output of replicas, of several with the name of each before its lines. With `-f` it goes with the names,
 * not with the processes: what takes the place of one that has ended, or is added by scaling, is read from its beginning, until the group
 * is stopped, has failed or is gone.
 */
import type { ClusterClient } from '../../src/cluster/cluster-client.ts';
import { writableSink } from '../../src/cluster/process-stream/sink.ts';
import { isGroupName } from '../../src/policy/supervision/identity.ts';
import { NshError, toNshError } from '../../src/protocol/errors.ts';
import type { CommandContext } from '../command.ts';
import { tellFailures } from '../gather.ts';
import { untilGroupsChange } from '../group/await-groups.ts';
import { findReplica, findReplicas, type FoundReplicas, type NamedReplica } from '../group/find-replicas.ts';
import { prefixedOutput, type ManyOutput } from '../output/node-output.ts';
import { describeExit } from '../run/exit-status.ts';
import { finishStatus, type Reporter } from '../run/report.ts';
import { readLog, type LogWanted } from './read-log.ts';

/** News of a group come in swarms, ms. */
const gatherMs = 100;
const patienceMs = 1_000;

/** @returns the exit status. @throws NshError as `findReplicas`, and the failure of a single one's stream. */
export async function showGroupLogs(
  context: CommandContext,
  client: ClusterClient,
  word: string,
  wanted: LogWanted,
  reporter: Reporter,
): Promise<number> {
  const logs = new GroupLogs(context, client, wanted, { reporter, word });
  return await logs.show();
}

class GroupLogs {
  readonly #context: CommandContext;
  readonly #client: ClusterClient;
  readonly #wanted: LogWanted;
  readonly #reporter: Reporter;
  readonly #word: string;
  /** Ends all readers when one of them finds the output closed. */
  readonly #over = new AbortController();
  /** By process. */
  readonly #reading = new Map<string, Promise<void>>();
  /** By replica: that of its newest process. */
  readonly #newest = new Map<string, Promise<void>>();
  readonly #seen = new Set<string>();
  #output: ManyOutput | undefined;
  #status = 0;

  constructor(
    context: CommandContext,
    client: ClusterClient,
    wanted: LogWanted,
    { reporter, word }: { readonly reporter: Reporter; readonly word: string },
  ) {
    this.#context = context;
    this.#client = client;
    this.#wanted = wanted;
    this.#reporter = reporter;
    this.#word = word;
  }

  async show(): Promise<number> {
    const { signal } = this.#context;
    let found = await this.#find();
    tellFailures(this.#context, 'logs', found.failures);
    if (found.failures.length > 0) this.#status = 1;
    for (let isFirst = true; ; isFirst = false) {
      for (const replica of found.replicas) this.#begin(replica, isFirst);
      if (!this.#wanted.follow) break;
      if (isOver(found) && [...found.replicas].every(({ isRunning }) => !isRunning)) break;
      await this.#untilNews(found.known?.revision);
      if (this.#over.signal.aborted) break;
      signal.throwIfAborted();
      try {
        found = await findReplicas(this.#client, this.#word, signal);
      } catch (error) {
        // It was removed: what it said last is read to its end.
        if (error instanceof NshError && (error.code === 'unknownGroup' || error.code === 'noSuchProcess')) break;
        throw error;
      }
    }
    await Promise.all(this.#reading.values());
    signal.throwIfAborted();
    return this.#status;
  }

  /** A replica that is named must be there; a group may have none. */
  async #find(): Promise<FoundReplicas> {
    const { signal } = this.#context;
    if (!isGroupName(this.#word) && !this.#wanted.follow) {
      const replica = await findReplica(this.#client, this.#word, signal);
      return { replicas: [replica], failures: [] };
    }
    const found = await findReplicas(this.#client, this.#word, signal);
    const names = found.replicas.map(({ name }) => name);
    if (isGroupName(this.#word)) this.#output = this.#prefixed(names);
    return found;
  }

  #prefixed(names: readonly string[]): ManyOutput {
    const { stdout, stderr, terminal } = this.#context;
    const style = (stream: { readonly isTTY?: boolean }) => ({
      aligned: stream.isTTY === true,
      colour: stream.isTTY === true && terminal.colour,
    });
    const warn = (text: string): void => this.#reporter.say(text);
    return prefixedOutput({ stdout, stderr, names, outStyle: style(stdout), errStyle: style(stderr), warn });
  }

  #begin(replica: NamedReplica, isFirst: boolean): void {
    const { record, name, node, gpid, run } = replica;
    const key = `${node.id} ${record.pid} ${record.start} ${record.boot}`;
    if (this.#seen.has(key)) return;
    this.#seen.add(key);
    const { follow } = this.#wanted;
    // Of the successor nothing has been shown yet.
    const wanted = isFirst ? this.#wanted : { ...this.#wanted, lines: undefined };
    const signal = AbortSignal.any([this.#context.signal, this.#over.signal]);
    const { stdout, stderr } = this.#context;
    const output = this.#output?.sinks(name) ?? { stdout: writableSink(stdout), stderr: writableSink(stderr) };
    const reading = this.#afterPredecessor(name)
      .then(() => {
        if (!isFirst) this.#reporter.note(`[${name} runs on ${node.name}: process ${gpid}, run ${run}]`);
        return readLog(this.#client, replica, wanted, { ...output, reporter: this.#reporter, signal });
      })
      .then(
        (end) => {
          if (end.kind === 'outputClosed' && !this.#over.signal.aborted) {
            this.#status = finishStatus(end, node.name, gpid, this.#reporter);
            this.#over.abort();
          }
          if (end.kind === 'exit' && follow) this.#reporter.note(`[${name} ${describeExit(end.status, gpid)}]`);
        },
        (error: unknown) => {
          if (signal.aborted) return;
          this.#reporter.say(`${name}: ${toNshError(error).message}`);
          this.#status = 1;
        },
      );
    const done = reading.finally(() => this.#reading.delete(key));
    this.#reading.set(key, done);
    this.#newest.set(name, done);
  }

  /** What comes next begins behind the end of the one before, unless that one's node is lost. */
  async #afterPredecessor(name: string): Promise<void> {
    let timer: NodeJS.Timeout | undefined;
    const enough = new Promise<void>((resolve) => {
      timer = setTimeout(resolve, patienceMs);
    });
    await Promise.race([this.#newest.get(name), enough]);
    clearTimeout(timer);
  }

  async #untilNews(revision: bigint | undefined): Promise<void> {
    const { signal } = this.#context;
    const quiet = new AbortController();
    const both = AbortSignal.any([signal, quiet.signal, this.#over.signal]);
    const ended = [...this.#reading.values()];
    try {
      // One that has ended may have a successor, or have been the last.
      await Promise.race([untilGroupsChange(this.#client, revision, both), ...ended]);
    } catch (error) {
      if (!both.aborted) {
        this.#reporter.say(`what takes the place of these is not shown: ${toNshError(error).message}`);
        await Promise.all(ended);
        this.#over.abort();
      }
    } finally {
      quiet.abort();
    }
    await new Promise((resolve) => {
      setTimeout(resolve, gatherMs);
    });
  }
}

/** Nothing of it will run any more without a person. */
function isOver({ known, replicas }: FoundReplicas): boolean {
  if (known === undefined) return replicas.every(({ isRunning }) => !isRunning);
  const { state } = known.view;
  return state === 'stopped' || state === 'failed' || state === 'removing' || state === 'ended';
}
