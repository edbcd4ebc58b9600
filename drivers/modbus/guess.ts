/** What registers could mean: every type in every order, and how likely it is. Pure; the marks are experience, not mathematics. */
import { shortestFloat32 } from '../../src/contract/float32.ts';
import { type Address, addressSchema } from './address.ts';
import { decodeRegisters } from './decode.ts';
import { type Order, ordersOf } from './order.ts';
import { registersOf, type Type } from './types.ts';

export interface Guess {
  type: Type;
  /** Undefined where there is none to choose. */
  order: Order | undefined;
  value: number | bigint | string;
  /** By which the value becomes what was expected; 1 where nothing was. */
  scale: number;
  /** Of a string, in registers. */
  length?: number;
  /** The bytes it is made of, as they came. */
  registers: string;
  /** 0 to 1. */
  score: number;
}

const numberTypes = ['uint16', 'int16', 'uint32', 'int32', 'float32', 'uint64', 'int64', 'float64', 'float16', 'bcd16', 'bcd32'] as const;
type NumberType = (typeof numberTypes)[number];
const scales = [1, 0.1, 0.01, 0.001, 10, 100, 1_000];

/** All that the first registers of `bytes` could be, in no order; the rest of them is looked at for whether it would be of the same type. */
export function guesses(bytes: Buffer, expect: number | undefined): Guess[] {
  const found: Guess[] = [];
  for (const type of numberTypes) {
    const width = registersOf[type];
    if (bytes.length < width * 2) continue;
    for (const order of ordersOf(width * 2)) {
      const value = valueAt(bytes, 0, type, order);
      if (value === undefined) continue;
      const usual = order === ordersOf(width * 2)[0];
      const own = likelihood(type, value);
      const guess = { type, order, value, scale: 1, registers: bytes.toString('hex', 0, width * 2) };
      const scale = expect === undefined ? undefined : scales.find((by) => isAbout(Number(value) * by, expect));
      // What fits the display is it, unless another fits too: then the plainer one goes first.
      if (scale !== undefined) found.push({ ...guess, scale, score: 0.9 + (scale === 1 ? 0.05 : 0) + own * 0.03 + (usual ? 0.01 : 0) });
      else {
        const score = 0.65 * own + 0.3 * neighbours(bytes, type, order, own) + (usual ? 0.05 : 0);
        found.push({ ...guess, score: expect === undefined ? score : score * 0.5 });
      }
    }
  }
  for (const order of ['AB', 'BA'] as const) {
    const text = textAt(bytes, order);
    if (text !== undefined)
      found.push({ ...text, type: 'string', order, scale: 1, score: expect === undefined ? textScore(text.value, order) : 0.3 });
  }
  return found.map((guess) => ({ ...guess, score: Math.round(guess.score * 1_000) / 1_000 }));
}

function valueAt(bytes: Buffer, register: number, type: NumberType, order: Order): number | bigint | undefined {
  try {
    const value = decodeRegisters(addressOf({ type, order }), bytes, register * 2);
    if (type === 'float32' && typeof value === 'number') return shortestFloat32(value);
    return typeof value === 'number' || typeof value === 'bigint' ? value : undefined;
  } catch {
    // BCD whose digits are none.
    return undefined;
  }
}

const addresses = new Map<string, Address>();
function addressOf(words: { type: Type; order: Order; length?: number }): Address {
  const key = JSON.stringify(words);
  const address = addresses.get(key) ?? addressSchema.parse({ table: 'holding', register: 0, ...words });
  addresses.set(key, address);
  return address;
}

/** Devices measure volts and watts, not 1e-38. */
function likelihood(type: NumberType, value: number | bigint): number {
  const size = Math.abs(Number(value));
  if (type.startsWith('float')) {
    const mark = type === 'float64' ? 1 : type === 'float32' ? 0.95 : 0.3;
    if (!Number.isFinite(size)) return 0.02;
    if (size === 0) return 0.15;
    if (size < 1e-3 || size > 1e7) return size > 1e-6 && size < 1e10 ? 0.2 : 0.02;
    // A number people would write down: 230.5, not 1.7654321e-3.
    return size >= 0.01 && size <= 1e6 ? mark : mark * 0.7;
  }
  if (type.startsWith('bcd')) return size > 9 ? 0.3 : 0.1;
  const wide = type.endsWith('64') ? 4 : type.endsWith('32') ? 2 : 1;
  if (size === 0) return 0.15;
  // The high registers of a wide number are seldom used up.
  if (wide === 4) return size < 1e12 ? 0.7 : 0.02;
  if (wide === 2) return size < 1e6 ? 0.7 : size < 1e8 ? 0.4 : 0.05;
  if (type === 'int16') return Number(value) < 0 ? (size <= 2_000 ? 0.6 : 0.3) : 0.45;
  return size <= 10_000 ? 0.5 : size < 0x8000 ? 0.4 : 0.3;
}

/** How likely the rest of the block is of this type and order too, beside what the first alone says. */
function neighbours(bytes: Buffer, type: NumberType, order: Order, own: number): number {
  const width = registersOf[type];
  let sum = 0;
  let count = 0;
  for (let register = width; (register + width) * 2 <= bytes.length; register += width) {
    if (bytes.subarray(register * 2, (register + width) * 2).every((byte) => byte === 0)) continue;
    const value = valueAt(bytes, register, type, order);
    sum += value === undefined ? 0 : likelihood(type, value);
    count += 1;
  }
  return count === 0 ? own : sum / count;
}

function textAt(bytes: Buffer, order: 'AB' | 'BA'): { value: string; length: number; registers: string } | undefined {
  let length = 0;
  for (; (length + 1) * 2 <= bytes.length; length++) {
    const [a = 0, b = 0] = order === 'AB' ? [bytes[length * 2], bytes[length * 2 + 1]] : [bytes[length * 2 + 1], bytes[length * 2]];
    if (!isPrintable(a)) break;
    // A text may end in the middle of a register.
    if (!isPrintable(b)) {
      if (b === 0) length += 1;
      break;
    }
  }
  if (length < 2) return undefined;
  const value = decodeRegisters(addressOf({ type: 'string', order, length }), bytes, 0);
  return typeof value === 'string' && value.length >= 3 ? { value, length, registers: bytes.toString('hex', 0, length * 2) } : undefined;
}

function isPrintable(byte: number): boolean {
  return byte >= 0x20 && byte < 0x7f;
}

/** Four characters and more are hardly chance; of the two orders the one that reads like words: a capital before small letters, digits beside digits. */
function textScore(text: string, order: 'AB' | 'BA'): number {
  const odd = [...text].filter((char, at) => at > 0 && isOdd(sortOf(text[at - 1] ?? ''), sortOf(char))).length;
  const smooth = 1 - odd / Math.max(1, text.length - 1);
  return Math.min(0.99, 0.3 + Math.min(text.length, 8) * 0.05 + smooth * 0.25 + (order === 'AB' ? 0.02 : 0));
}

function isOdd(before: string, after: string): boolean {
  if (before === after || before === 'other' || after === 'other') return false;
  return !(before === 'capital' && after === 'small');
}

function sortOf(char: string): string {
  return /[a-z]/.test(char) ? 'small' : /[A-Z]/.test(char) ? 'capital' : /\d/.test(char) ? 'digit' : 'other';
}

function isAbout(value: number, expect: number): boolean {
  return Number.isFinite(value) && Math.abs(value - expect) <= Math.max(Math.abs(expect) * 0.02, 1e-9);
}
