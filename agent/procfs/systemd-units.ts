/**
 * What systemd runs a process as, read from the path of its control group: unit, user unit, slice, machine, login session and its owner.
 * The rules are those of systemd's control group layout (systemd.io/CGROUP_DELEGATION, sd_pid_get_unit(3)), so that these columns read
 * as procps shows them. No part of a path is ever taken for more than a name.
 */
import { existsSync, readlinkSync } from 'node:fs';
import { readAscii } from './read-file.ts';

/** `-` where the path has no such part. */
export interface UnitNames {
  readonly unit: string;
  readonly userUnit: string;
  readonly slice: string;
  readonly machine: string;
  readonly loginSession: string;
  readonly sessionOwner: string;
}

/** One scan's answers: many processes share a control group. */
export class SystemdUnits {
  private readonly known = new Map<string, UnitNames>();
  private root: string | undefined;

  /** @param text /proc/PID/cgroup */
  of(text: string): UnitNames {
    const path = systemdPath(text, isUnified());
    const known = this.known.get(path);
    if (known !== undefined) return known;
    this.root ??= rootPath(systemdPath(readAscii('/proc/1/cgroup') ?? '', isUnified()));
    const names = unitNames(withoutRoot(path, this.root));
    this.known.set(path, names);
    return names;
  }
}

let unified: boolean | undefined;

/** Whether systemd keeps its tree in version 2 (`0::PATH`); else it is the named hierarchy of version 1. */
function isUnified(): boolean {
  unified ??= ['cgroup.procs', 'unified/cgroup.procs'].some((file) => existsSync(`/sys/fs/cgroup/${file}`));
  return unified;
}

/** The path that systemd goes by; empty where there is none. */
export function systemdPath(text: string, isVersion2: boolean): string {
  for (const line of text.split('\n')) {
    const [, id, controllers = '', path = ''] = /^(\d+):([^:]*):(.*)$/.exec(line) ?? [];
    const wanted = isVersion2 ? id === '0' : controllers.split(',').includes('name=systemd');
    if (wanted) return path.replace(/ \(deleted\)$/, '');
  }
  return '';
}

/** Where this system's tree begins, by the path of its PID 1: not at `/` in a container. */
export function rootPath(pathOfInit: string): string {
  return pathOfInit.replace(/\/(?:init\.scope|system\.slice|system)$/, '');
}

export function withoutRoot(path: string, root: string): string {
  const prefix = root.replace(/\/+$/, '');
  return path.startsWith(`${prefix}/`) ? path.slice(prefix.length) : path;
}

/** @param path below the root of this system's tree; empty where the process is in none. */
export function unitNames(path: string): UnitNames {
  const parts = path.split('/').filter((part) => part !== '');
  const slices = parts.findIndex((part) => !isSlice(part));
  const below = slices < 0 ? [] : parts.slice(slices);
  const unit = unitName(below[0]);
  const slice = parts[(slices < 0 ? parts.length : slices) - 1];
  const sliceName = path === '' ? '-' : slice === undefined ? '-.slice' : unescape(slice);
  return {
    unit: unit ?? '-',
    userUnit: userUnit(below) ?? '-',
    slice: sliceName,
    machine: machineName(unit) ?? '-',
    loginSession: /^session-([A-Za-z0-9]+)\.scope$/.exec(unit ?? '')?.[1] ?? '-',
    sessionOwner: /^user-(\d+)\.slice$/.exec(sliceName)?.[1] ?? '-',
  };
}

/** What runs below a user's manager, or in a login session. */
function userUnit([first = '', ...rest]: readonly string[]): string | undefined {
  if (!/^user@\d+\.service$/.test(first) && !/^session-[A-Za-z0-9]+\.scope$/.test(first)) return undefined;
  return unitName(rest.find((part) => !isSlice(part)));
}

const unitTypes = 'service|socket|target|device|mount|automount|swap|timer|path|slice|scope';
const plainUnit = new RegExp(`^[A-Za-z0-9:_.\\\\-]+\\.(?:${unitTypes})$`);
const instanceUnit = new RegExp(`^[A-Za-z0-9:_.\\\\-]+@[A-Za-z0-9:_.\\\\@-]+\\.(?:${unitTypes})$`);
const maxUnitName = 255;

/** Slices have been passed: what comes after them is none. */
function unitName(part: string | undefined): string | undefined {
  const name = unescape(part ?? '');
  const valid = name.length <= maxUnitName && (plainUnit.test(name) || instanceUnit.test(name));
  return valid && !name.endsWith('.slice') ? name : undefined;
}

function isSlice(part: string): boolean {
  const name = unescape(part);
  return name.endsWith('.slice') && name.length <= maxUnitName && plainUnit.test(name);
}

/** systemd puts `_` before a name that the kernel uses for files of its own. */
function unescape(part: string): string {
  return part.startsWith('_') ? part.slice(1) : part;
}

/** systemd-machined links a machine's unit to its name. */
function machineName(unit: string | undefined): string | undefined {
  if (unit === undefined) return undefined;
  try {
    return readlinkSync(`/run/systemd/machines/unit:${unit}`);
  } catch {
    return undefined; // no machine runs as this unit, which is so for nearly all
  }
}
