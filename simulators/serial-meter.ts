/**
 * Devices on an RS-485 line that speak Modbus RTU. Unit 7 is an energy meter: input registers 0 voltage (0.1 V), 1 current (0.01 A),
 * 2 power (W, signed), 4 energy (Wh, 32 bits). The others misbehave, each in its way, see `faults`.
 */
import { answer, type Unit } from './modbus-protocol.ts';
import type { SerialPort } from './serial-port.ts';

export interface MeterOptions {
  port: Pick<SerialPort, 'hear' | 'say' | 'unplug'>;
  nowMs?: () => number;
  /** A number in [0, 1). */
  random?: () => number;
}

interface Line {
  say(bytes: Buffer): void;
  later(ms: number, bytes: Buffer): void;
  unplug(forMs: number): void;
  random(): number;
}

const meterId = 7;
const unplugMs = 2_000;
/** A bus pauses for 3.5 characters between frames (Modbus over Serial Line V1.02 §2.5.1.1); over a pipe that is not to be told from 20 ms. */
const gapMs = 20;

/** What each unit makes of a good answer. */
const faults: Record<number, (good: Buffer, line: Line) => void> = {
  101: () => {}, // silent
  102: (good, line) => line.later(300, good), // slow
  103: (good, line) => line.say(frame(Buffer.concat([good.subarray(0, 2), Buffer.from([0])]))), // short: no data in it
  104: (good, line) => line.say(Buffer.concat([good.subarray(0, -1), Buffer.from([good.readUInt8(good.length - 1) ^ 0xff])])), // bad checksum
  105: (good, line) => line.say(frame(Buffer.concat([Buffer.from([99]), good.subarray(1, -2)]))), // another unit
  106: (good, line) => line.say(frame(Buffer.from([good.readUInt8(0), good.readUInt8(1) | 0x80, 4]))), // exception 4
  107: (good, line) => line.say(good.subarray(0, good.length >> 1)), // half a frame
  108: (_good, line) => line.unplug(unplugMs), // hangs up, as far as a cable can
  109: (_good, line) => line.say(Buffer.from(Array.from({ length: 4_000 }, () => Math.floor(line.random() * 256)))), // flood
  110: (good, line) => line.later(1_500, good), // later than the usual timeout
};

/** Returns what ends it. */
export function startMeters({ port, nowMs = Date.now, random = Math.random }: MeterOptions): () => void {
  const timers = new Set<NodeJS.Timeout>();
  const meter = energyMeter(nowMs, random);
  const line: Line = {
    say: (bytes) => port.say(bytes),
    unplug: (forMs) => port.unplug(forMs),
    random,
    later(ms, bytes) {
      const timer = setTimeout(() => {
        timers.delete(timer);
        port.say(bytes);
      }, ms);
      timers.add(timer);
    },
  };
  let held: Buffer = Buffer.alloc(0);
  let heardAtMs = 0;
  port.hear((bytes) => {
    const atMs = nowMs();
    held = atMs - heardAtMs > gapMs ? bytes : Buffer.concat([held, bytes]);
    heardAtMs = atMs;
    const length = requestLength(held);
    if (length === undefined || held.length < length) return;
    const request = held.subarray(0, length);
    held = held.subarray(length);
    if (checksum(request.subarray(0, -2)) !== request.readUInt16LE(length - 2)) return;
    const unitId = request.readUInt8(0);
    const misbehave = faults[unitId];
    if (!misbehave && unitId !== meterId) return;
    const good = frame(Buffer.concat([request.subarray(0, 1), answer(request.subarray(1, -2), meter)]));
    if (misbehave) misbehave(good, line);
    else port.say(good);
  });
  return () => {
    for (const timer of timers) clearTimeout(timer);
  };
}

function energyMeter(nowMs: () => number, random: () => number): Unit {
  const startMs = nowMs();
  const refuse = () => 1;
  return {
    now() {
      const volts = 230 + 3 * Math.sin(nowMs() / 20_000) + random() - 0.5;
      const amps = 3 + 2 * Math.sin(nowMs() / 9_000);
      // Sun on the roof: now and then it feeds in.
      const watts = Math.round(volts * amps * Math.sign(Math.sin(nowMs() / 60_000) + 0.6));
      const wattHours = 5_310_000 + Math.floor((nowMs() - startMs) / 3_600);
      const registers = [Math.round(volts * 10), Math.round(amps * 100), watts & 0xffff, 0, wattHours >>> 16, wattHours & 0xffff];
      return {
        coil: new Map(),
        discrete: new Map(),
        holding: new Map(),
        input: new Map(registers.map((value, address) => [address, value])),
      };
    },
    setCoils: refuse,
    setHolding: refuse,
  };
}

/** Bytes of the request at the beginning, checksum included; undefined if that cannot be said yet. */
function requestLength(bytes: Buffer): number | undefined {
  if (bytes.length < 7) return undefined;
  const code = bytes.readUInt8(1);
  if (code === 15 || code === 16) return 9 + bytes.readUInt8(6);
  return code === 22 ? 10 : 8;
}

function frame(body: Buffer): Buffer {
  const whole = Buffer.alloc(body.length + 2);
  body.copy(whole);
  whole.writeUInt16LE(checksum(body), body.length);
  return whole;
}

/** CRC-16 of Modbus (Modbus over Serial Line V1.02 §6.2.2). */
function checksum(bytes: Buffer): number {
  let register = 0xffff;
  for (const byte of bytes) {
    register ^= byte;
    for (let bit = 0; bit < 8; bit++) register = register & 1 ? (register >>> 1) ^ 0xa001 : register >>> 1;
  }
  return register;
}
