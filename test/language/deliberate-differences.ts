/**
 * Where a session, line by line, differs from one bash, and why. Few, and each is in man/nsh.1. What can be seen past is: `alike` takes the difference out of what is
 * compared; what cannot, is listed by its title in the corpus.
 */
export const deliberateDifferences: ReadonlyMap<string, string> = new Map([
  ['line numbers in a function', 'a function that an earlier line defined has lost the line it stood in'],
  [
    'echo "${PIPESTATUS[@]}"; false | true | (exit 3); echo "${PIPESTATUS[@]}"',
    'before the first command PIPESTATUS is 0, not empty',
  ],
]);

/** What is printed for syntax errors and traces says how bash came by the text: `eval` rather than `-c`, two levels deeper. */
export function alike(stderr: string): string {
  return stderr.replaceAll('bash: -c: line', 'bash: eval: line').replaceAll(/^\++ /gm, '+ ');
}
