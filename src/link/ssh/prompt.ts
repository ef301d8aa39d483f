/** Asking the person for whom a link is opened. */
import type { PromptParams } from '../../protocol/control.ts';
import { NshError } from '../../protocol/errors.ts';
import type { LinkContext } from '../link.ts';
import { withSignal } from '../wait.ts';

export interface Asker {
  /** False where there is no terminal, or BatchMode forbids it. */
  readonly canAsk: boolean;
  /** @throws NshError where the person declines, or the signal fires. */
  ask(kind: PromptParams['kind'], text: string, echo: boolean): Promise<string>;
}

/** @param onAsk called before each question: what is held up meanwhile should be let go */
export function makeAsker(node: string, context: LinkContext, batchMode: boolean, onAsk: () => void): Asker {
  const prompt = batchMode ? undefined : context.prompt;
  return {
    canAsk: prompt !== undefined,
    async ask(kind, text, echo) {
      if (prompt === undefined) throw new NshError('authFailed', `${node}: there is no terminal to ask on`);
      onAsk();
      // Longer than the protocol's bound can only come from a hostile host; its end is what is asked.
      return withSignal(prompt({ node, kind, text: text.slice(-16_000), echo }), context.signal, `${node}: the login`);
    },
  };
}
