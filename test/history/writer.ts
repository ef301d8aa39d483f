/** A session that writes history: `writer.ts PATH SESSION COUNT`. Says each line on stdout once it is kept. */
import { History } from '../../shell/history/index.ts';
import { say } from './say.ts';

const [path = '', session = '', count = '0'] = process.argv.slice(2);
const history = new History({ path, session });

for (let i = 0; i < Number(count); i++) {
  const line = `echo ${session} ${i} ${'x'.repeat(i % 300)}`;
  const key = history.add({ line, node: 'web1', cwd: '/tmp', atMs: 1_000 + i });
  if (key === undefined) throw new Error('not kept');
  say(line);
  if (i % 2 === 0) history.finish(key, { status: i % 256, durationMs: i });
}
