/** What a step's bash needs so that it can call nsh back: decided by its own text and those of the session's functions. */
import type { ByteText } from '../language/byte-text.ts';
import { findCallBacks } from '../language/call-back.ts';
import { renderCallBacks } from './call-backs.ts';
import { exitFunction } from './driver.ts';
import type { Session } from './session.ts';

export interface Prelude {
  /** Definitions; '' where none are needed. */
  readonly text: ByteText;
  /** What it defines, and the session must not keep. */
  readonly names: ReadonlySet<string>;
  /** More than guards: something in it is nsh's for certain. */
  readonly isOwn: boolean;
}

/** @param around default: the session's own. */
export function callBacksFor(
  session: Session,
  text: ByteText,
  runner = session.current,
  around = session.surroundings,
): Prelude {
  const { options, state } = session;
  const own = options.isInteractive === true && state.functions.get('exit') === undefined;
  const first: Prelude = own
    ? { text: exitFunction, names: new Set(['exit']), isOwn: true }
    : { text: '', names: new Set(), isOwn: false };
  if (options.callBack === undefined) return first;
  const texts = [text, ...[...state.functions.values()].map((each) => each?.text ?? '')];
  const found = texts.map((each) => findCallBacks(each, around));
  const builtins = new Set(found.flatMap((each) => each.builtins));
  const guarded = new Set(found.flatMap((each) => each.guarded).filter((name) => !builtins.has(name)));
  const nodesets = found.some((each) => each.nodesets);
  const program = runner.node === options.runner.node ? options.callBack : undefined;
  // Of one node alone, the node's own shows more and stops on Ctrl-Z.
  if (program === undefined) builtins.delete('top');
  const rest = renderCallBacks(program, nodesets, builtins, guarded);
  return {
    text: [first.text, rest.text].filter((each) => each !== '').join('\n'),
    names: new Set([...first.names, ...rest.names]),
    isOwn: first.isOwn || nodesets || builtins.size > 0,
  };
}
