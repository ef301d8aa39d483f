/** What becomes of the stages of a pipeline when one of them is stopped, interrupted, or ends. */
import { expect, it, vi } from 'vitest';
import type { BashEnd, RunningBash } from '../../shell/session/runner.ts';
import type { StageEnd } from '../../shell/session/run-stage.ts';
import { StageGroup } from '../../shell/session/stage-group.ts';

/** A stage that says when it ends, and hears what it is sent. */
class Stage {
  readonly signals: string[] = [];
  readonly resumed: string[] = [];
  readonly close = vi.fn<() => void>();
  #settle: (end: StageEnd) => void = () => undefined;

  constructor(group: StageGroup, reportsStop = true) {
    const running: RunningBash = {
      pid: 1,
      reportsStop,
      ended: new Promise<BashEnd>(() => undefined),
      kill: (signal) => void this.signals.push(signal),
    };
    group.add((onStart) => {
      onStart(running);
      return this.#next();
    }, this.close);
  }

  end(status: number): void {
    this.#settle({ statuses: [status] });
  }

  stop(): void {
    const resume = (where: string): Promise<StageEnd> => {
      this.resumed.push(where);
      return this.#next();
    };
    this.#settle({ statuses: [148], stopped: { resume } });
  }

  #next(): Promise<StageEnd> {
    return new Promise((resolve) => {
      this.#settle = resolve;
    });
  }
}

function stages(): { group: StageGroup; first: Stage; second: Stage } {
  const group = new StageGroup();
  return { group, first: new Stage(group), second: new Stage(group) };
}

it('has ended when all have, each told of the end of its neighbours at once', async () => {
  const { group, first, second } = stages();
  const settled = group.settled();
  first.end(1);
  await vi.waitFor(() => expect(first.close).toHaveBeenCalledOnce(), { timeout: 15_000 });
  expect(second.close).not.toHaveBeenCalled();
  second.end(0);
  expect(await settled).toEqual({ statuses: [1, 0] });
});

it('stops the others when one is stopped, and brings all back together', async () => {
  const { group, first, second } = stages();
  const settled = group.settled();
  second.stop();
  await vi.waitFor(() => expect(first.signals).toEqual(['TSTP']), { timeout: 15_000 });
  first.stop();
  const { stopped, statuses } = await settled;
  expect(statuses).toEqual([148, 148]);
  const later = stopped?.resume('background');
  expect([first.resumed, second.resumed]).toEqual([['background'], ['background']]);
  first.end(0);
  second.end(3);
  expect(await later).toEqual({ statuses: [0, 3] });
});

it('stops by force who does not stop by himself, and lets him go on', async () => {
  const { group, first, second } = stages();
  const settled = group.settled();
  second.stop();
  const { stopped } = await settled;
  expect(first.signals).toEqual(['TSTP', 'STOP']);
  const later = stopped?.resume('foreground');
  expect(first.signals).toEqual(['TSTP', 'STOP', 'CONT']);
  second.stop();
  expect((await later)?.stopped).toBeDefined();
});

it('interrupts the others with the one that Ctrl-C has ended, before they hear of its end', async () => {
  const { group, first, second } = stages();
  const settled = group.settled();
  first.end(130);
  await vi.waitFor(() => expect(second.signals).toEqual(['INT']), { timeout: 15_000 });
  expect(first.close).not.toHaveBeenCalled();
  second.end(130);
  expect(await settled).toEqual({ statuses: [130, 130] });
  await vi.waitFor(() => expect(first.close).toHaveBeenCalledOnce(), { timeout: 15_000 });
});

it('stops at once who could not say that he has stopped, where the person asks for it', async () => {
  const group = new StageGroup();
  const [first, second] = [new Stage(group, false), new Stage(group, false)];
  const settled = group.settled();
  group.suspend();
  const { stopped, statuses } = await settled;
  expect(statuses).toEqual([148, 148]);
  expect([first.signals, second.signals]).toEqual([['STOP'], ['STOP']]);
  const later = stopped?.resume('background');
  expect([first.signals, second.signals]).toEqual([
    ['STOP', 'CONT'],
    ['STOP', 'CONT'],
  ]);
  first.end(0);
  second.end(3);
  expect(await later).toEqual({ statuses: [0, 3] });
});
