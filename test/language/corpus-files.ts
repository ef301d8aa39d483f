/** Reads the corpus: `lines-*.txt` hold a script a line, `scripts.txt` several lines each behind a `### TITLE`. */
import { readdirSync, readFileSync } from 'node:fs';

export interface CorpusScript {
  readonly title: string;
  /** Byte text. */
  readonly text: string;
}

const directory = new URL('corpus/', import.meta.url);

export function readCorpus(): CorpusScript[] {
  return readdirSync(directory)
    .sort()
    .flatMap((file) => {
      const text = readFileSync(new URL(file, directory), 'latin1');
      return file.startsWith('lines') ? readLines(text) : readScripts(text);
    });
}

/** A line of the corpus may go over several where a quote is open: those begin with what no other line begins with. */
function readLines(text: string): CorpusScript[] {
  return text
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => ({ title: line, text: `${line}\n` }));
}

function readScripts(text: string): CorpusScript[] {
  return text
    .split(/^### /m)
    .slice(1)
    .map((part) => {
      const end = part.indexOf('\n');
      return { title: part.slice(0, end), text: part.slice(end + 1) };
    });
}
