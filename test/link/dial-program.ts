/** `dial --marker MARKER PATH`: the agent's program as far as the bridge needs it. Bundled by support.ts. */
import { bridgeStdio } from '../../src/link/bridge.ts';

const [, , command, option, marker, path] = process.argv;
if (command !== 'dial' || option !== '--marker' || marker === undefined || path === undefined) process.exit(2);
process.exitCode = await bridgeStdio(path, { marker });
