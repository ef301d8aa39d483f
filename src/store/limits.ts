/** The bounds of every backend: etcd's own by default (--max-txn-ops, --max-request-bytes), so that nothing works on one alone. */

/** Bytes of UTF-8 of a key, the prefix of its namespace included. */
export const maxKeyBytes = 1024;
/** Comparisons, and steps of either list, of one transaction. */
export const maxTxnOps = 128;
/** Of one request: keys and values, and `opOverheadBytes` for each comparison and step. */
export const maxRequestBytes = 1_572_864;
/** More than a message of etcd spends on one of them beside key and value. */
export const opOverheadBytes = 64;
/** Seconds that a session may ask for: etcd's own bound. */
export const maxTtlSeconds = 9_000_000_000;
export const defaultDeadlineMs = 5_000;
