/** What a frame says, in a few words, for those who look at the traffic. Nothing here decides anything. */
import { exceptionBit, exceptionText } from './exceptions.ts';

const tableOf: Record<number, string> = { 1: 'coil', 2: 'discrete', 3: 'holding', 4: 'input' };

/** `read holding 30-41`, `write holding 30 = 0x022b`, `write coil 3 = on`. `request` is unit and PDU. */
export function requestWords(request: Buffer): string {
  const functionCode = request.readUInt8(1);
  const place = request.readUInt16BE(2);
  const second = request.readUInt16BE(4);
  const range = second > 1 ? `${place}-${place + second - 1}` : String(place);
  switch (functionCode) {
    case 1:
    case 2:
    case 3:
    case 4:
      return `read ${tableOf[functionCode]} ${range}`;
    case 5:
      return `write coil ${place} = ${second === 0 ? 'off' : 'on'}`;
    case 6:
      return `write holding ${place} = 0x${request.toString('hex', 4, 6)}`;
    case 15:
      return `write coil ${range} = ${request.toString('hex', 7)}`;
    case 16:
      return `write holding ${range} = ${words(request, 7)}`;
    case 22:
      return `change holding ${place}: and 0x${request.toString('hex', 4, 6)}, or 0x${request.toString('hex', 6, 8)}`;
    default:
      return `function ${functionCode}`;
  }
}

/** The answer to that request: `holding 30-41: 0x0001 0x0002 …`, `exception 2: illegal data address`. `pdu` is function code and data. */
export function answerWords(request: Buffer, pdu: Buffer): string {
  const functionCode = pdu[0] ?? 0;
  if (functionCode & exceptionBit) return exceptionText(pdu[1] ?? 0);
  const asked = requestWords(request);
  if (functionCode > 4) return `done: ${asked}`;
  // What was read, without the verb.
  const place = asked.slice(5);
  return functionCode > 2 ? `${place}: ${words(pdu, 2)}` : `${place}: ${pdu.toString('hex', 2, 18)}${pdu.length > 18 ? '…' : ''}`;
}

/** The first eight: whoever wants more has the bytes. */
function words(bytes: Buffer, from: number): string {
  const digits = bytes.toString('hex', from, from + 16);
  let shown = '';
  for (let at = 0; at + 4 <= digits.length; at += 4) shown += `${at === 0 ? '' : ' '}0x${digits.slice(at, at + 4)}`;
  return from + 16 < bytes.length ? `${shown} …` : shown;
}
