/** Rewrites a history file again and again until it is ended: `trimmer.ts PATH MAX-ENTRIES`. Says `trimmed` after each time. */
import { trimHistory } from '../../shell/history/trim.ts';
import { say } from './say.ts';

const [path = '', maxEntries = '0'] = process.argv.slice(2);

for (;;) {
  await trimHistory(path, Number(maxEntries));
  say('trimmed');
}
