/** Undo and redo: changes in groups, one group undone at a time. Changes hold only what they replaced, so a long text costs no copies. */

/** `removed` stood at `start`; `inserted` stands there now. */
export interface Change {
  readonly start: number;
  readonly removed: string;
  readonly inserted: string;
}

export interface ChangeGroup {
  readonly changes: Change[];
  /** Where the cursor was before the first change. */
  readonly cursor: number;
}

/** Older groups are forgotten. */
const maxGroups = 10_000;

export class UndoLog {
  #done: ChangeGroup[] = [];
  #undone: ChangeGroup[] = [];
  #isOpen = false;

  /** What comes now is undone on its own. */
  closeGroup(): void {
    this.#isOpen = false;
  }

  record(change: Change, cursor: number): void {
    this.#undone = [];
    const group = this.#isOpen ? this.#done.at(-1) : undefined;
    if (group === undefined) {
      this.#done.push({ changes: [change], cursor });
      if (this.#done.length > maxGroups) this.#done.shift();
    } else {
      append(group.changes, change);
    }
    this.#isOpen = true;
  }

  /** Length of the text that the open group has inserted in one piece; 0 where it did anything else. */
  get openInsertion(): number {
    const changes = this.#isOpen ? this.#done.at(-1)?.changes : undefined;
    const only = changes?.length === 1 ? changes[0] : undefined;
    return only !== undefined && only.removed === '' ? only.inserted.length : 0;
  }

  /** The group to take back, whose changes are to be reversed last first. */
  takeUndo(): ChangeGroup | undefined {
    this.#isOpen = false;
    const group = this.#done.pop();
    if (group !== undefined) this.#undone.push(group);
    return group;
  }

  takeRedo(): ChangeGroup | undefined {
    this.#isOpen = false;
    const group = this.#undone.pop();
    if (group !== undefined) this.#done.push(group);
    return group;
  }

  clear(): void {
    this.#done = [];
    this.#undone = [];
    this.#isOpen = false;
  }
}

/** Typing goes on where the last insertion ended: one change. */
function append(changes: Change[], change: Change): void {
  const last = changes.at(-1);
  const continues =
    last !== undefined &&
    change.removed === '' &&
    change.start === last.start + last.inserted.length &&
    last.removed === '';
  if (continues) changes[changes.length - 1] = { ...last, inserted: last.inserted + change.inserted };
  else changes.push(change);
}
