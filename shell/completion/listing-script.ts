/**
 * What a node is asked for names with: a short bash, for commands its `compgen`, for paths its own patterns, since `compgen -f` cannot tell
 * a line feed in a name from the end of one. Nothing that is typed is evaluated: it comes as arguments. And the reading of what it says,
 * which is checked like anything from a node.
 */
import type { ListedName, NamesQuestion } from './sources.ts';

/** What such a process is called in listings. */
export const listingName = 'nsh-completion';

export const maxNames = 1_000;
/** Commands are asked for once, for all that begin with a letter or so. */
const maxCommands = 5_000;
export const maxListingBytes = 524_288;
const maxNameLength = 4_096;

/** Arguments: kind, working directory, tilde, directory, base, most names. Each answer is a letter and a name, ended by NUL. */
const script = `
cd -- "$2" 2>/dev/null || [[ $1 == command || $4 == /* || -n $3 ]] || exit 0
if [[ $1 == command ]]; then
  compgen -c -- "$5" | sort -u | head -n "$6" | while IFS= read -r name; do printf 'c%s\\0' "$name"; done
  exit 0
fi
directory=$4
case $3 in
  '') ;;
  '~') directory=$HOME/$4 ;;
  *) home=$(getent passwd -- "\${3#?}" | cut -d: -f6); [[ -n $home ]] || exit 0; directory=$home/$4 ;;
esac
shopt -s nullglob
list() {
  local path kind count=0
  for path in "$directory$1"*; do
    kind=f
    if [[ -d $path ]]; then kind=d; elif [[ -x $path ]]; then kind=x; fi
    printf '%s%s\\0' "$kind" "\${path:\${#directory}}"
    (( ++count < $2 )) || break
  done
  (( count > 0 ))
}
list "$5" "$6" && exit 0
shopt -s nocaseglob
list "$5" "$6"
exit 0
`;

export function listingCommand({ kind, tilde, directory, base }: NamesQuestion, cwd: string): string[] {
  const most = String(kind === 'command' ? maxCommands : maxNames);
  return ['bash', '--norc', '--noprofile', '-c', script, listingName, kind, cwd, tilde, directory, base, most];
}

export interface Listing {
  readonly names: readonly ListedName[];
  /** Nothing was left out: it answers longer beginnings too. */
  readonly isComplete: boolean;
}

const types: Readonly<Record<string, ListedName['type']>> = {
  c: 'command',
  d: 'directory',
  f: 'file',
  x: 'executable',
};

export function readListing(output: string, { kind }: NamesQuestion): Listing {
  const most = kind === 'command' ? maxCommands : maxNames;
  const records = output.split('\0');
  // What follows the last NUL is torn.
  const isTorn = records.pop() !== '';
  const names = records.slice(0, most).flatMap((record): ListedName[] => {
    const type = types[record[0] ?? ''];
    const name = record.slice(1);
    const isPlausible = name !== '' && name !== '.' && name !== '..' && name.length <= maxNameLength;
    if (type === undefined || !isPlausible || (type === 'command') !== (kind === 'command')) return [];
    return name.includes('/') && kind === 'path' ? [] : [{ name, type }];
  });
  return { names, isComplete: !isTorn && records.length < most };
}
