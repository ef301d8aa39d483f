/** The history of a user's sessions. */
export { History, defaultMaxEntries, type AcceptedLine, type HistoryOptions } from './history.ts';
export { historyPath } from './history-file.ts';
export type { HistoryEntry, HistoryOutcome } from './record.ts';
export { searchHistory, type HistoryDirection, type HistoryMatch, type HistoryQuery } from './search.ts';
export { showLine } from './show.ts';
