/** Where a wrong line sends the person. Commands throw NshError `usage` with the reason alone; what prints it adds this. */

/** @param command absent: the line went wrong before a command was named. */
export function helpHint(command?: string): string {
  return `Try 'nsh ${command === undefined ? '' : `${command} `}--help' for more information.`;
}
