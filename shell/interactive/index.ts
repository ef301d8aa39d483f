/** `nsh` on a terminal, without words: the interactive shell. Everything that is slow to load comes after the first key can be taken. */
import { ReadStream } from 'node:tty';
import { NshError } from '../../src/protocol/errors.ts';
import { Keyboard } from './keyboard.ts';
import { loadUi } from './ink-screen.ts';
import { Surroundings } from './surroundings.ts';

/** @param clusterFlag the FILE of `--cluster FILE`. @returns the exit status. */
export async function runInteractive(clusterFlag: string | undefined): Promise<number> {
  const { stdin, stdout, stderr, env } = process;
  if (!(stdin instanceof ReadStream)) throw new NshError('usage', 'stdin is no terminal');
  // What is typed from here on is the editor's, as soon as there is one.
  const keyboard = new Keyboard(stdin, stdout);
  keyboard.take();
  const ui = loadUi();
  const surroundings = new Surroundings({ stdin, stdout, stderr, env, clusterFlag });
  try {
    const [{ App }, { SessionLines }, { HistoryLines }] = await Promise.all([
      import('./app.ts'),
      import('./session-lines.ts'),
      import('./history-lines.ts'),
      ui,
    ]);
    const news: string[] = [];
    let tell = (text: string): void => void news.push(text);
    const history = new HistoryLines(env, (problem) => tell(`nsh: ${problem}`));
    const runner = new SessionLines({
      stdin,
      stdout,
      stderr,
      env,
      cluster: () => surroundings.cluster(),
      context: (signal) => surroundings.context(signal),
      news: (text) => tell(text),
      history: () => history.lines(),
    });
    const app = await App.open({ stdin, stdout, stderr, env, surroundings, keyboard, runner, history });
    tell = (text) => app.tell(text);
    for (const text of news) tell(text);
    return await app.run();
  } finally {
    keyboard.lend();
    surroundings.close();
  }
}
