/** Has a bash expand words, with the session's state, and gives back what they became. Nothing of it returns to the session. */
import type { ByteText } from '../language/byte-text.ts';
import { replaceLastJob } from '../language/last-job.ts';
import { closeChannelFile, openChannelFile, readChannelFile } from '../../src/cluster/channel-file.ts';
import { finalDriver } from './driver.ts';
import { renderRestore } from './restore.ts';
import type { OutputTarget } from './runner.ts';
import type { Session } from './session.ts';
import { collector } from './streams.ts';

/** More than the kernel would take for one command. */
const maxBytes = 8 * 1024 * 1024;

export interface Expansion {
  /** Not 0: bash refused (and said why), and the command must not run. */
  readonly status: number;
  readonly words: readonly ByteText[];
}

export async function expandWords(session: Session, words: ByteText, line: number): Promise<Expansion> {
  if (words.trim() === '') return { status: 0, words: [] };
  const { lastId } = session.jobs;
  // The bash that expands has gone before anyone can ask about it.
  const own = words.replaceAll(/\$\$|\$\{\$\}/g, String(session.shellId));
  const given = lastId === undefined ? own : replaceLastJob(own, lastId);
  const output: Output = session.current === session.options.runner ? fileOutput() : collector(maxBytes);
  const state = { ...session.state, traps: new Map(), options: withoutTracing(session.state.options) };
  try {
    const running = await session.current.start({
      driver: finalDriver,
      name: session.name ?? 'bash',
      restore: renderRestore(state, session.current.node, {
        // One NUL-ended word each, behind a first that is always there: no words at all print nothing but that.
        text: `\\builtin printf '%s\\0' x ${given}`,
        line: session.line + line,
        isClosed: false,
        isCondition: false,
        wantsFresh: false,
        isFinal: true,
      }),
      stdin: session.options.streams.stdin,
      stdout: output.target,
      stderr: session.options.streams.stderr,
      reports: 0,
    });
    const { status } = await running.ended;
    const text = output.text();
    return { status: text === '' ? status || 1 : status, words: text.split('\0').slice(1, -1) };
  } finally {
    output.close?.();
  }
}

interface Output {
  readonly target: OutputTarget;
  text(): ByteText;
  close?(): void;
}

/** On this machine a file: a pipe would cost a process of its own. */
function fileOutput(): Output {
  const fd = openChannelFile('');
  return {
    target: fd,
    text: () => readChannelFile(fd, maxBytes),
    close: () => {
      closeChannelFile(fd);
    },
  };
}

function withoutTracing(options: Session['state']['options']): Session['state']['options'] {
  return new Map([...options].filter(([name]) => name !== 'xtrace' && name !== 'verbose'));
}
