/** The stages of a pipeline that runs: together they are one job. Where one is stopped all are, and they go on together. */
import { setTimeout as delay } from 'node:timers/promises';
import type { RunningBash } from './runner.ts';
import type { StageEnd } from './run-stage.ts';

/** So long a stage has to say that it has stopped; who does not say so is stopped by force, or has nothing to say. */
const stopDeadlineMs = 1_000;
/** So long one that was interrupted is not told of the end of another. */
const interruptMs = 200;
/** What is under way from a node that was stopped comes within this time. */
const shownMs = 100;
/** 128 + SIGTSTP. */
const stoppedStatus = 148;
/** 128 + SIGINT. */
const interrupted = 130;

interface Member {
  readonly bashes: Set<RunningBash>;
  /** How it stands; undefined while it runs. */
  state: StageEnd | undefined;
  end: Promise<void>;
  /** It was stopped without a word of its own, and goes on without being asked. */
  isSuspended: boolean;
  readonly close: () => void;
}

export class StageGroup {
  readonly #members: Member[] = [];
  #ask: () => void = () => {};

  /** @param close called once, when it has ended. */
  add(start: (onStart: (running: RunningBash) => void) => Promise<StageEnd>, close: () => void): void {
    const bashes = new Set<RunningBash>();
    const member: Member = { bashes, state: undefined, end: Promise.resolve(), isSuspended: false, close };
    this.#members.push(member);
    this.#watch(
      member,
      start((running) => {
        bashes.add(running);
        const forget = (): void => void bashes.delete(running);
        running.ended.then(({ stopped }) => stopped === undefined && forget(), forget);
      }),
    );
  }

  /** What `$!` of it would be: its last process. */
  get pid(): number {
    const all = this.#members.flatMap(({ bashes }) => [...bashes]);
    return all.findLast(({ pid }) => pid !== undefined)?.pid ?? 0;
  }

  kill(signal: string): void {
    for (const { bashes } of this.#members) for (const each of bashes) each.kill(signal);
  }

  /** Ctrl-Z where no stage has the keyboard. */
  suspend(): void {
    this.#ask();
  }

  /** Resolves when all have ended, or all that can are stopped. */
  async settled(): Promise<StageEnd> {
    let isAsked = false;
    const asked = new Promise<void>((resolve) => {
      this.#ask = () => {
        isAsked = true;
        resolve();
      };
    });
    await Promise.race([this.#firstStop(), asked]);
    if (isAsked || this.#members.some(({ state }) => state?.stopped !== undefined)) await this.#stopOthers();
    const statuses = this.#members.flatMap(
      ({ state, isSuspended }) => state?.statuses ?? (isSuspended ? [stoppedStatus] : []),
    );
    if (this.#members.every(({ state }) => state !== undefined && state.stopped === undefined)) return { statuses };
    return { statuses, stopped: { resume: (where) => this.#resume(where) } };
  }

  /** Until one has stopped, or all have ended. */
  async #firstStop(): Promise<void> {
    await new Promise<void>((resolve) => {
      for (const member of this.#members) {
        void member.end.then(() => {
          if (member.state?.stopped !== undefined) resolve();
        });
      }
      void Promise.all(this.#members.map(({ end }) => end)).then(() => resolve());
    });
  }

  async #stopOthers(): Promise<void> {
    // A builtin waits by itself: nobody reads what it writes.
    const running = (): Member[] => this.#members.filter(({ state, bashes }) => state === undefined && bashes.size > 0);
    const reporting = (): Member[] =>
      running().filter(({ bashes }) => [...bashes].some(({ reportsStop }) => reportsStop === true));
    for (const { bashes } of reporting()) for (const each of bashes) each.kill('TSTP');
    // Who has nothing to say is stopped at once, and what it has said already may still be shown.
    for (const member of running()) if (!reporting().includes(member)) this.#suspend(member);
    const isAlone = reporting().length === 0;
    await Promise.race([
      Promise.all(reporting().map(({ end }) => end)).then(() => (isAlone ? delay(shownMs) : undefined)),
      delay(stopDeadlineMs),
    ]);
    for (const member of running()) if (!member.isSuspended) this.#suspend(member);
  }

  #suspend(member: Member): void {
    member.isSuspended = true;
    for (const each of member.bashes) each.kill('STOP');
  }

  async #resume(where: 'foreground' | 'background'): Promise<StageEnd> {
    for (const member of this.#members) {
      const stopped = member.state?.stopped;
      if (stopped !== undefined) {
        member.state = undefined;
        this.#watch(member, stopped.resume(where));
      } else if (member.isSuspended) {
        member.isSuspended = false;
        for (const each of member.bashes) each.kill('CONT');
      }
    }
    return await this.settled();
  }

  /** Ctrl-C was for all of them. Only then is it told that one has ended: or the next would end as if nothing had happened. */
  #interruptOthers(first: Member): void {
    const others = this.#members.filter((member) => member !== first && member.state === undefined);
    for (const { bashes } of others) for (const each of bashes) each.kill('INT');
    const ended = Promise.all(others.map(({ end }) => end));
    void Promise.race([ended, delay(interruptMs)]).then(() => first.close());
  }

  #watch(member: Member, end: Promise<StageEnd>): void {
    member.end = end.then(
      (state) => {
        member.state = state;
        if (state.statuses.at(-1) === interrupted) this.#interruptOthers(member);
        else if (state.stopped === undefined) member.close();
      },
      () => {
        member.state = { statuses: [255] };
        member.close();
      },
    );
  }
}
