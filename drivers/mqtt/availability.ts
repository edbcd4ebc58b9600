/** What a device says of itself: a word on its availability topic, mostly kept by the broker and changed by it when the device is lost (last will). */
import type { AvailabilityConfig } from '../../src/contract/device.ts';
import type { Availability } from '../../src/contract/driver.ts';
import { messageOf } from '../../src/contract/fault.ts';
import { limits } from '../../src/contract/limits.ts';
import { compilePath, parsePath } from './path.ts';
import { decodeText } from './payload/plain.ts';
import type { Message } from './readings.ts';

/** Reads the words of one device. */
export interface Word {
  readonly device: string;
  /** Undefined for an empty message: the broker was told to keep no word any more. */
  read(message: Message): Availability | undefined;
}

export function compileWord(device: string, { path, online, offline }: AvailabilityConfig): Word {
  const lookup = path === undefined ? undefined : compilePath(parsePath(path));
  return { device, read };

  function read(message: Message): Availability | undefined {
    const { payload, retained } = message;
    if (payload.length === 0) return undefined;
    try {
      if (payload.length > limits.payloadBytesMax) throw new Error(`is larger than ${limits.payloadBytesMax} bytes`);
      const found = lookup ? lookup(message.document()) : decodeText(payload);
      const word = typeof found === 'boolean' || typeof found === 'number' ? String(found) : found;
      const said = typeof word === 'string' ? JSON.stringify(word.slice(0, 80)) : 'nothing that is a word';
      if (word === online) return { state: 'online', detail: `said ${said}`, retained };
      if (word === offline) return { state: 'offline', detail: `said ${said}`, retained };
      return {
        state: 'unclear',
        detail: `its availability topic says ${said}; known are ${JSON.stringify(online)} and ${JSON.stringify(offline)}`,
        retained,
      };
    } catch (error) {
      return { state: 'unclear', detail: `its availability topic: ${messageOf(error)}`, retained };
    }
  }
}
