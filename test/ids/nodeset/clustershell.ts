/**
 * ClusterShell as the oracle for nodesets: its `nodeset` command, and in batches the library behind it. Debian package
 * `clustershell`; with CI=true its absence is a failure.
 */
import { spawnSync } from 'node:child_process';

export interface OracleAnswer {
  readonly fold?: string;
  readonly names?: readonly string[];
  /** The text is malformed. */
  readonly error?: string;
}

const batch = `
import json, sys
from ClusterShell.NodeSet import NodeSet, RESOLVER_NOGROUP
for line in sys.stdin:
    given = json.loads(line)
    try:
        if isinstance(given, list):
            nodes = NodeSet(resolver=RESOLVER_NOGROUP)
            nodes.updaten(given)
        else:
            nodes = NodeSet(given, resolver=RESOLVER_NOGROUP)
        print(json.dumps({"fold": str(nodes), "names": list(nodes)}))
    except Exception as error:
        print(json.dumps({"error": str(error)}))
`;

/** Debian's own interpreter: another python3 in the PATH does not see Debian's modules. */
const python = '/usr/bin/python3';

export const hasClusterShell: boolean = (() => {
  const found =
    spawnSync(python, ['-c', 'import ClusterShell.NodeSet']).status === 0 &&
    spawnSync('nodeset', ['--version']).status === 0;
  if (!found && process.env['CI'] === 'true') throw new Error('ClusterShell is missing: apt-get install clustershell');
  if (!found)
    process.stderr.write('ClusterShell is missing, nodesets are not compared: apt-get install clustershell\n');
  return found;
})();

/** What ClusterShell makes of each text, or of a list of names to fold. */
export function askClusterShell(texts: readonly (string | readonly string[])[]): OracleAnswer[] {
  const input = texts.map((text) => `${JSON.stringify(text)}\n`).join('');
  const { stdout, stderr, status } = spawnSync(python, ['-c', batch], {
    input,
    encoding: 'utf8',
    maxBuffer: 1 << 30,
    env: { ...process.env, PYTHONIOENCODING: 'utf-8' },
  });
  if (status !== 0) throw new Error(`the oracle failed: ${stderr}`);
  return stdout
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line) as OracleAnswer);
}

export interface ToolRun {
  readonly stdout: string;
  readonly stderr: string;
  readonly status: number | null;
}

export function runNodesetTool(args: readonly string[], input = ''): ToolRun {
  const { stdout, stderr, status } = spawnSync('nodeset', args, { input, encoding: 'utf8' });
  return { stdout, stderr, status };
}
