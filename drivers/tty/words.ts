/** Why a serial port did not open, and what to do about it. The native code says it in the words of the C library, without a code. */
import { readFile, stat } from 'node:fs/promises';
import { userInfo } from 'node:os';
import { messageOf } from '../../src/contract/fault.ts';
import { holderOf } from './holder.ts';

const dropIn =
  'under systemd put into a drop-in of grafana-server.service: [Service] PrivateDevices=false, DeviceAllow=char-ttyUSB rw, DeviceAllow=char-ttyACM rw, SupplementaryGroups=dialout';

export async function openingFailed(path: string, error: unknown): Promise<Error> {
  return new Error(await wordsOf(path, messageOf(error)), { cause: error });
}

async function wordsOf(path: string, message: string): Promise<string> {
  // Windows says "Opening COM3: File not found" and "Access denied".
  if (/No such (file|device)|File not found/i.test(message)) {
    const hidden = path.startsWith('/dev/') ? `, or this service may not see it (${dropIn})` : '';
    return `${path} is not there: the device is not plugged in${hidden}`;
  }
  if (/Permission denied/i.test(message)) {
    const { user, group } = await owners(path);
    return `${path}: permission denied for user ${user}; add it to the group ${group} that owns the port (usermod -aG ${group} ${user}) and start Grafana again; ${dropIn}`;
  }
  if (/Operation not permitted/i.test(message)) return `${path}: the service is not allowed to use it; ${dropIn}`;
  if (/Cannot lock port|Resource busy|Device or resource busy|Access denied/i.test(message)) {
    const holder = await holderOf(path);
    const who = holder ?? `another program; as root, fuser -v ${path} says which (often ModemManager or a terminal)`;
    return `${path} is busy: it is in use by ${who}`;
  }
  if (/Inappropriate ioctl|Is a directory/i.test(message)) return `${path} is no serial port`;
  if (/Input\/output error/i.test(message)) return `${path}: there is no hardware behind this port (${message})`;
  return `${path} could not be opened: ${message.replace(/^Error:? /, '')}`;
}

async function owners(path: string): Promise<{ user: string; group: string }> {
  const user = name(() => userInfo().username) ?? String(process.getuid?.() ?? 'grafana');
  try {
    const { gid } = await stat(path);
    const groups = await readFile('/etc/group', 'utf8');
    const line = groups.split('\n').find((one) => one.split(':')[2] === String(gid));
    return { user, group: line?.split(':')[0] ?? `with the number ${gid}` };
  } catch {
    return { user, group: 'dialout' };
  }
}

/** A user without an entry has no name. */
function name(ask: () => string): string | undefined {
  try {
    return ask();
  } catch {
    return undefined;
  }
}
