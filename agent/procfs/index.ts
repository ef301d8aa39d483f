/** This node's processes and machine, as its agent tells them. */
export { uptimeSeconds } from './boot.ts';
export { nodeInfo } from './machine.ts';
export { processGroupMembers, type GroupMember } from './process-group.ts';
export { ProcessScanner, type ScanRequest } from './scanner.ts';
