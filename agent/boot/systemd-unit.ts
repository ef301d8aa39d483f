/** The user unit that starts an agent at boot (systemd.unit(5), systemd.service(5)). Pure. */

export interface UnitFacts {
  readonly cluster: string;
  readonly name: string;
  /** Absolute path of the boot script. */
  readonly script: string;
  /** Machine id, else host name. */
  readonly machine: string;
}

/** @param node name of the node's state directory: what tells machines with a common home directory apart. */
export function unitName(cluster: string, node: string): string {
  return `nsh-agent-${cluster}-${node}.service`;
}

/**
 * It starts on this machine only, though others may share the home directory. The shim and what it runs are none of its business
 * (KillMode): they outlive an agent that ends, crashes or is upgraded. One that was stopped or has made room stays away, one that was killed
 * comes back.
 */
export function unitText({ cluster, name, script, machine }: UnitFacts): string {
  return [
    "# Written by 'nsh agent enable'; 'nsh agent disable' removes it.",
    '[Unit]',
    `Description=nsh agent of ${name} in the cluster ${cluster}`,
    'Documentation=man:nsh-agent(8)',
    `ConditionHost=${machine}`,
    'StartLimitIntervalSec=0',
    '',
    '[Service]',
    `ExecStart=/bin/sh ${quoteForUnit(script)} serve --wait`,
    'Restart=on-failure',
    'RestartSec=2',
    'KillMode=process',
    '',
    '[Install]',
    'WantedBy=default.target',
    '',
  ].join('\n');
}

/** One word of a command line: `%` begins a specifier there, `$` a variable, and a backslash an escape, in quotes, too. */
export function quoteForUnit(word: string): string {
  const escaped = word
    .replace(/["\\]/g, String.raw`\$&`)
    .replaceAll('%', '%%')
    .replaceAll('$', '$$$$')
    .replaceAll('\n', String.raw`\n`)
    .replaceAll('\t', String.raw`\t`);
  return `"${escaped}"`;
}
