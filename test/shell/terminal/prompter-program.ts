/** Asks on its terminal as the environment says, and prints what was answered. */
import { createPrompter } from '../../../shell/terminal/prompter.ts';

const ask = createPrompter();
if (ask === undefined) {
  console.log('NOBODY');
} else {
  const echo = process.env['ECHO'] === 'yes';
  const kind = echo ? 'host-key' : 'password';
  const request = { node: 'web1', kind, text: process.env['TEXT'] ?? '', echo } as const;
  // Both at once: the second is asked when the first has been answered.
  const answers = await Promise.allSettled([ask(request), ask({ ...request, text: 'second? ' })]);
  for (const answer of answers) {
    console.log(
      answer.status === 'fulfilled' ? `ANSWER ${JSON.stringify(answer.value)}` : `DECLINED ${String(answer.reason)}`,
    );
  }
}
