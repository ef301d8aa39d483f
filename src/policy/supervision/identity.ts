/** Names of groups and of their replicas: `web/1` is the replica in slot 1 of the group `web`, wherever and however often it was started. */

const groupNameForm = /^[A-Za-z][\w.-]{0,63}$/;

export function isGroupName(text: string): boolean {
  return groupNameForm.test(text);
}

export interface ReplicaId {
  readonly group: string;
  /** From 1. Scaling down takes the highest away, so that the slots of a group are always 1 to its number. */
  readonly slot: number;
}

export function replicaName({ group, slot }: ReplicaId): string {
  return `${group}/${slot}`;
}

/** Undefined where the text is no such name. */
export function parseReplicaName(text: string): ReplicaId | undefined {
  const slash = text.lastIndexOf('/');
  const [group, slot] = [text.slice(0, slash), text.slice(slash + 1)];
  if (slash < 0 || !isGroupName(group) || !/^[1-9]\d{0,4}$/.test(slot)) return undefined;
  return { group, slot: Number(slot) };
}

/** 1 to `count`. */
export function slotsOf(count: number): number[] {
  return Array.from({ length: count }, (_, index) => index + 1);
}
