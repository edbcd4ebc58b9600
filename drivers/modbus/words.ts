/** What a frame says, in a few words, for those who look at the traffic. Nothing here decides anything. */
import { exceptionText } from './exceptions.ts';

const tableOf: Record<number, string> = { 1: 'coil', 2: 'discrete', 3: 'holding', 4: 'input' };

/** `read holding 30-41`, `write holding 30 = 0x022b`, `write coil 3 = on`. `pdu` is function code and data. */
export function requestWords(pdu: Buffer): string {
  const functionCode = pdu[0] ?? 0;
  if (pdu.length < 5) return `function ${functionCode}`;
  const place = pdu.readUInt16BE(1);
  const second = pdu.readUInt16BE(3);
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
      return `write holding ${place} = ${hex(second)}`;
    case 15:
      return `write coil ${range} = ${pdu.toString('hex', 6)}`;
    case 16:
      return `write holding ${range} = ${words(pdu, 6)}`;
    case 22:
      return `change holding ${place}: and ${hex(second)}, or ${pdu.length < 7 ? '?' : hex(pdu.readUInt16BE(5))}`;
    default:
      return `function ${functionCode}`;
  }
}

/** The answer to that request: `holding 30-41: 0x0001 0x0002 …`, `exception 2: illegal data address`. */
export function answerWords(request: Buffer, pdu: Buffer): string {
  const functionCode = pdu[0] ?? 0;
  if (functionCode & 0x80) return exceptionText(pdu[1] ?? 0);
  if (functionCode === 1 || functionCode === 2)
    return `${requestWords(request).replace('read ', '')}: ${pdu.toString('hex', 2, 18)}${pdu.length > 18 ? '…' : ''}`;
  if (functionCode === 3 || functionCode === 4) return `${requestWords(request).replace('read ', '')}: ${words(pdu, 2)}`;
  return `done: ${requestWords(request)}`;
}

/** The first eight: whoever wants more has the bytes. */
function words(pdu: Buffer, from: number): string {
  const shown: string[] = [];
  for (let at = from; at + 1 < pdu.length && shown.length < 8; at += 2) shown.push(hex(pdu.readUInt16BE(at)));
  return `${shown.join(' ')}${from + 16 < pdu.length ? ' …' : ''}`;
}

function hex(word: number): string {
  return `0x${word.toString(16).padStart(4, '0')}`;
}
