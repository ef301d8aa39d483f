/**
 * The process itself, as something to send signals to: leader of its group and session. A number is used only while it is known to be
 * ours: the shim has not reaped it, or processes of its group or session are left, which keep the kernel from giving it again.
 */
import { readStart } from '../../src/cluster/this-machine.ts';
import { NshError } from '../../src/protocol/errors.ts';
import { foregroundGroup, sendSignal, signalSession } from './signals.ts';

export class Leader {
  readonly #pid: number;
  readonly #start: number;
  #isReaped = false;

  constructor(pid: number, start: number) {
    this.#pid = pid;
    this.#start = start;
  }

  reaped(): void {
    this.#isReaped = true;
  }

  /** @throws NshError `noSuchProcess`, `notPermitted`, `invalidParams` */
  signal(signal: number, target: 'process' | 'group' | 'foreground'): void {
    const start = readStart(this.#pid);
    // node-pty reaps in a thread of its own, a moment before we hear of it.
    const isThere = !this.#isReaped && start === this.#start;
    if (!isThere && (target === 'process' || this.#isReused(start))) {
      throw new NshError('noSuchProcess', `process ${this.#pid} has ended`);
    }
    if (target === 'process') sendSignal(this.#pid, signal);
    else sendSignal(-(target === 'foreground' ? (foregroundGroup(this.#pid) ?? this.#pid) : this.#pid), signal);
  }

  /** As a terminal that goes away does. */
  hangUp(): void {
    this.#signalAll(['SIGHUP', 'SIGCONT']);
  }

  terminate(): void {
    this.#signalAll(['SIGTERM', 'SIGCONT']);
  }

  kill(): void {
    this.#signalAll(['SIGKILL']);
  }

  /** All of its session. */
  #signalAll(signals: readonly NodeJS.Signals[]): void {
    if (!this.#isReused(readStart(this.#pid))) signalSession(this.#pid, signals);
  }

  #isReused(start: number | undefined): boolean {
    return start !== undefined && start !== this.#start;
  }
}
