/** Reports of a bash, made up. */

/** Fields as bash prints them (shell/session/driver.ts). */
export interface ReportParts {
  readonly variables?: string;
  readonly functions?: string;
  readonly names?: string;
  readonly aliases?: string;
  readonly traps?: string;
  readonly limits?: string;
  readonly options?: string;
  readonly shopts?: string;
  readonly umask?: string;
  readonly directory?: string;
  /** Default 0. */
  readonly status?: string;
  /** `$_` */
  readonly lastArgument?: string;
}

/** What a bash leaves of its session, with some of it as a hostile node would have it. */
export function sessionReport(parts: ReportParts): string {
  const { umask = '0022\n', directory = '/\n', options = '', shopts = '', variables = '', functions = '' } = parts;
  const fields = [
    options,
    '0',
    shopts,
    umask,
    directory,
    variables,
    functions,
    parts.names ?? '',
    parts.aliases ?? '',
    parts.traps ?? '',
    parts.limits ?? '',
    '',
    '',
    '',
  ];
  const { status = '0', lastArgument = '_' } = parts;
  return ['nsh-state-2', status, lastArgument, '', ...fields, '1', '/', '0', 'nsh-state-end', ''].join('\0');
}
