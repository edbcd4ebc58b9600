/** Requests, and what must be in their answers (Application Protocol V1.1b3 §6): bytes only. A request is the unit followed by its PDU. */
import type { Table } from './reference.ts';

const readCode: Record<Table, number> = { coil: 1, discrete: 2, holding: 3, input: 4 };
/** Unit, function code, place and one word more. */
const shortBytes = 6;
/** Unit, function code, place, count, and how many bytes follow. */
const longHeadBytes = 7;

/** §6.1 to 6.4. */
export function readRequest(unitId: number, table: Table, start: number, count: number): Buffer {
  return short(unitId, readCode[table], start, count);
}

/** §6.5. */
export function writeCoilRequest(unitId: number, place: number, on: boolean): Buffer {
  return short(unitId, 5, place, on ? 0xff00 : 0);
}

/** §6.6. */
export function writeRegisterRequest(unitId: number, place: number, word: number): Buffer {
  return short(unitId, 6, place, word);
}

/** §6.11, of one coil. */
export function writeCoilsRequest(unitId: number, place: number, on: boolean): Buffer {
  return long(unitId, 15, place, 1, Buffer.of(on ? 1 : 0));
}

/** §6.12; `bytes` are the registers as they go over the wire. */
export function writeRegistersRequest(unitId: number, place: number, bytes: Uint8Array): Buffer {
  return long(unitId, 16, place, bytes.length / 2, bytes);
}

/** §6.16: register = (register and `andMask`) or (`orMask` and not `andMask`). */
export function maskRequest(unitId: number, place: number, andMask: number, orMask: number): Buffer {
  const request = Buffer.allocUnsafe(8);
  short(unitId, 22, place, andMask).copy(request);
  request.writeUInt16BE(orMask, shortBytes);
  return request;
}

/** The bytes a read has asked for; undefined if the answer (function code and data) holds more or fewer, or says that it does. */
export function dataOf(answer: Buffer, bytes: number): Buffer | undefined {
  return answer.length === bytes + 2 && answer[1] === bytes ? answer.subarray(2) : undefined;
}

function short(unitId: number, functionCode: number, place: number, word: number): Buffer {
  const request = Buffer.allocUnsafe(shortBytes);
  request[0] = unitId;
  request[1] = functionCode;
  request.writeUInt16BE(place, 2);
  request.writeUInt16BE(word, 4);
  return request;
}

function long(unitId: number, functionCode: number, place: number, count: number, bytes: Uint8Array): Buffer {
  const request = Buffer.allocUnsafe(longHeadBytes + bytes.length);
  short(unitId, functionCode, place, count).copy(request);
  request[shortBytes] = bytes.length;
  request.set(bytes, longHeadBytes);
  return request;
}
