/**
 * What the bash of a stage says when it ends: the status of each of its stages (neighbours on one node are one bash), and the CPU time that it
 * and its children took there. A stage is a subshell: nothing else of it returns.
 */
import type { ByteText } from '../language/byte-text.ts';
import { type CpuTimes, readTimes } from './cpu-times.ts';
import { exitChannel, restore } from './driver.ts';

const head = 'nsh-stage-1';

/** Behind the text: `eval` would overwrite it. */
export const keepStatuses: ByteText = '\n{ NSH_LAST=("$?" "${PIPESTATUS[@]}"); } 2>/dev/null';

const times = "\\builtin times; \\builtin printf '\\0'";

/** Fields end in NUL: head, `$?`, PIPESTATUS, and last what `times` prints. */
export const stageDriver =
  `${restore}; \\builtin eval "$1"; { \\builtin set -- "\${NSH_LAST-$?}"; \\builtin set +eux; \\builtin trap - DEBUG; ` +
  `{ \\builtin printf '%s\\0' ${head} "\${NSH_LAST[@]}"; ${times}; } >&4; \\exec ${exitChannel}>&-; \\builtin unset -v NSH_LAST; } 2>/dev/null; \\builtin exit "$1"`;

/** For `set -e`, which ends the bash before the driver comes to its end; where it does, the channel is closed and the trap says nothing. */
export const stageTrap = `{ \\builtin printf '%s\\0' ${head} "$?" "\${PIPESTATUS[@]}"; \\builtin set +ux; ${times}; } 2>/dev/null >&${exitChannel}`;

export interface StageReport {
  /** One for each stage. */
  readonly statuses: readonly number[];
  readonly cpu: CpuTimes;
}

/** @returns undefined where the report is none: the bash was broken off, and all that is known is its own status. */
export function readStageReport(report: ByteText, width: number): StageReport | undefined {
  const fields = report.slice(0, 4096).split('\0');
  if (fields.length !== width + 4 || fields[0] !== head || fields.at(-1) !== '') return undefined;
  const statuses = fields.slice(2, -2);
  if (!statuses.every((each) => /^\d{1,3}$/.test(each) && Number(each) < 256)) return undefined;
  return { statuses: statuses.map(Number), cpu: readTimes(fields.at(-2) ?? '') };
}
