/**
 * One line of a crontab(5) that is ours, known by the comment at its end; all others are the person's and stay as they are, byte for byte.
 * Pure.
 */
import { quoteForShell } from './boot-script.ts';

/** @param mark letters, digits, `-`, `_`, `.` and blanks: what the line is found again by. */
export function bootLine(script: string, log: string, mark: string): string {
  const command = `/bin/sh ${quoteForShell(script)} start >>${quoteForShell(log)} 2>&1`;
  // An unescaped % is a line feed there, in quotes, too.
  return `@reboot ${command.replaceAll('%', String.raw`\%`)} ${ending(mark)}`;
}

function ending(mark: string): string {
  return `# ${mark}`;
}

export function hasBootLine(text: string, mark: string): boolean {
  return text.split('\n').some((line) => isOurs(line, mark));
}

/** With that line, in the place of an earlier one, else at the end. */
export function withBootLine(text: string, line: string, mark: string): string {
  const lines = text.split('\n');
  const at = lines.findIndex((each) => isOurs(each, mark));
  if (at >= 0)
    return lines.flatMap((each, index) => (index === at ? [line] : isOurs(each, mark) ? [] : [each])).join('\n');
  return `${text}${text === '' || text.endsWith('\n') ? '' : '\n'}${line}\n`;
}

export function withoutBootLine(text: string, mark: string): string {
  return text
    .split('\n')
    .filter((line) => !isOurs(line, mark))
    .join('\n');
}

/** What `crontab -l` says, with a failure, where there is nothing: as vixie-cron, cronie and dcron have it, and busybox. */
export function meansEmpty(stderr: string): boolean {
  return /no crontab|can't open '.*': No such file/i.test(stderr);
}

function isOurs(line: string, mark: string): boolean {
  return line.startsWith('@reboot ') && line.endsWith(` ${ending(mark)}`);
}
