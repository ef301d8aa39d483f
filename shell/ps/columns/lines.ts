/**
 * Which columns tell of a whole process and which of one thread, for ps -m, where both have lines of their own; as procps has it. All
 * other columns are on both.
 */
import type { Row } from '../row.ts';
import type { Column } from './column.ts';

const ofProcesses = `%mem args cgname cgroup clients cmd comm command cwd drs dsiz end_code environ exe fname gpid io
  longtname lpid m_drs m_size m_trs name nlwp pgid pgrp pid pmem ppid pss resident root rss rssize rsz sess session sgi_rss sid size
  stackp start_code start_stack starter status supgid supgrp swap sz tgid thcount tname tpgid trs trss tsiz tt tty tty4 tty8 ucmd
  ucomm uss vm_data vm_lock vm_stack vsize vsz`;
const ofThreads = `blocked caught class cls cpuid eip esp ignored intpri lastcpu llwp lwp ni nice oom oomadj opri policy
  pri pri_api pri_bar pri_baz pri_foo priority psr rbytes rchars rops rtprio s sched sgi_p sig_block sig_catch sig_ignore sigcatch
  sigignore sigmask spid stat state tid wbytes wcbytes wchan wchars wname wops`;

interface Lines {
  readonly process: ReadonlySet<string>;
  readonly thread: ReadonlySet<string>;
}
let lines: Lines | undefined;

/** False where threads have lines of their own and this column tells nothing of this one: `-` stands there. */
export function hasCell({ line }: Row, { name }: Column): boolean {
  if (line === 'both') return true;
  lines ??= { process: names(ofProcesses), thread: names(ofThreads) };
  return !lines[line === 'process' ? 'thread' : 'process'].has(name);
}

function names(text: string): ReadonlySet<string> {
  return new Set(text.split(/\s+/));
}
