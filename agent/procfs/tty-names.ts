/**
 * Names of controlling terminals. A number of field 7 of /proc/PID/stat is looked up as procps does: by the drivers that the kernel lists,
 * by the process's own descriptors, then among the character devices of /dev. A name counts only where the device has that number.
 */
import { readdirSync, readlinkSync, statSync } from 'node:fs';
import { readAscii } from './read-file.ts';

interface Driver {
  readonly name: string;
  readonly major: number;
  readonly first: number;
  readonly last: number;
}

/** One scan's names: devices come and go, so nothing is kept longer. */
export class TtyNames {
  private readonly names = new Map<number, string>();
  private drivers: readonly Driver[] | undefined;
  private devices: ReadonlyMap<number, string> | undefined;

  /** `pts/3`, `tty1`; `?` without a terminal, or where its name cannot be found. */
  name(ttyNumber: number, pid: number): string {
    if (ttyNumber === 0) return '?';
    const known = this.names.get(ttyNumber);
    if (known !== undefined) return known;
    const name = this.find(ttyNumber, pid);
    if (name !== undefined) this.names.set(ttyNumber, name);
    return name ?? '?';
  }

  private find(ttyNumber: number, pid: number): string | undefined {
    const { major, minor } = splitDevice(ttyNumber);
    const path =
      this.byDriver(major, minor, ttyNumber) ??
      byLink(`/proc/${pid}/fd/2`, ttyNumber) ??
      byLink(`/proc/${pid}/fd/255`, ttyNumber) ??
      this.byScan(ttyNumber);
    return path?.replace(/^\/dev\//, '');
  }

  private byDriver(major: number, minor: number, ttyNumber: number): string | undefined {
    this.drivers ??= parseDrivers(readAscii('/proc/tty/drivers') ?? '');
    const driver = this.drivers.find((d) => d.major === major && d.first <= minor && minor <= d.last);
    if (driver === undefined) return undefined;
    const candidates = [`/dev/${driver.name}${minor}`, `/dev/${driver.name}/${minor}`, `/dev/${driver.name}`];
    return candidates.find((path) => isDevice(path, ttyNumber));
  }

  private byScan(ttyNumber: number): string | undefined {
    this.devices ??= scanDevices();
    return this.devices.get(ttyNumber);
  }
}

/** `tty_nr` as its bits lie in /proc: minor in 0–7 and 20–31, major in 8–19. */
export function splitDevice(number: number): { major: number; minor: number } {
  const bits = number >>> 0;
  return { major: (bits >>> 8) & 0xfff, minor: (bits & 0xff) | ((bits >>> 12) & 0xfff00) };
}

/** The same number from st_rdev, which has room for more. */
export function joinDevice(rdev: number): number {
  const big = BigInt(rdev);
  const major = Number(((big >> 8n) & 0xfffn) | ((big >> 32n) & 0xfffff000n));
  const minor = Number((big & 0xffn) | ((big >> 12n) & 0xffffff00n));
  return ((minor & 0xff) | ((major & 0xfff) << 8) | ((minor & 0xfff00) << 12)) >>> 0;
}

/** Lines of /proc/tty/drivers: `serial  /dev/ttyS  4  64-95  serial`. */
export function parseDrivers(text: string): Driver[] {
  const drivers: Driver[] = [];
  for (const match of text.matchAll(/ \/dev\/(\S+)\s+(\d+)\s+(\d+)(?:-(\d+))?/g)) {
    const [, name = '', major, first, last] = match;
    drivers.push({
      name: name.replace(/%d$/, ''),
      major: Number(major),
      first: Number(first),
      last: Number(last ?? first),
    });
  }
  return drivers;
}

function isDevice(path: string, ttyNumber: number): boolean {
  const number = deviceNumber(path);
  return number !== undefined && number === ttyNumber >>> 0;
}

/** Number of a character device, packed as the kernel packs it. */
function deviceNumber(path: string): number | undefined {
  try {
    const stat = statSync(path);
    return stat.isCharacterDevice() ? joinDevice(stat.rdev) : undefined;
  } catch {
    return undefined; // there is no such device, or no such directory
  }
}

function byLink(link: string, ttyNumber: number): string | undefined {
  try {
    const path = readlinkSync(link);
    return path.startsWith('/dev/') && isDevice(path, ttyNumber) ? path : undefined;
  } catch {
    return undefined; // another user's process, or one without that descriptor
  }
}

function scanDevices(): Map<number, string> {
  const devices = new Map<number, string>();
  for (const entry of readdirSync('/dev', { withFileTypes: true })) {
    const path = `/dev/${entry.name}`;
    const number = entry.isCharacterDevice() ? deviceNumber(path) : undefined;
    if (number !== undefined) devices.set(number, path);
  }
  return devices;
}
