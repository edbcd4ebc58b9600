/** Walks the SunSpec models of a device, from one to the next, and proposes the points it has. Reads only. */
import type { Survey } from '../../src/contract/driver.ts';
import { limits } from '../../src/contract/limits.ts';
import type { Outcome } from './client.ts';
import { modelOf, type Proposed, pointsOf } from './sunspec-points.ts';

/** Where the models may begin (SunSpec Information Model Specification): there the registers say "SunS". */
const bases = [40_000, 50_000, 0];
const mark = 0x53756e53;
const lastModel = 0xffff;
const headRegisters = 2;
const places = 0x1_0000;

/** Reads so many holding registers of the unit. */
type Read = (start: number, count: number) => Promise<Outcome<Buffer>>;

/** False if there is no SunSpec. */
export async function walkSunSpec(read: Read, unitId: number, survey: Survey): Promise<boolean> {
  const base = await baseOf(read);
  if (base === undefined) return false;
  const points: Proposed[] = [];
  const names: string[] = [];
  const counts = new Map<string, number>();
  let title: string | undefined;
  let at = base + headRegisters;
  for (let models = 0; models < limits.sunspecModelsMax && at + headRegisters <= places; models++) {
    const head = await read(at, headRegisters);
    if (head.kind !== 'answer') break;
    const [id, length] = [head.answer.readUInt16BE(0), head.answer.readUInt16BE(2)];
    const start = at + headRegisters;
    if (id === lastModel || start + length > places) break;
    const model = modelOf(id);
    const bytes = model ? await dataOf(read, start, length) : undefined;
    const name = model?.name ?? 'unknown';
    const count = (counts.get(name) ?? 0) + 1;
    counts.set(name, count);
    const own = model && bytes ? pointsOf(model, `${name}${count === 1 ? '' : count}`, start, bytes) : [];
    if (id === 1 && bytes) title = [text(bytes, 0, 16), text(bytes, 16, 16)].filter(Boolean).join(' ') || undefined;
    points.push(...own);
    names.push(model ? `${name} (${id})` : String(id));
    survey.found({
      id: `unit ${unitId} model ${id} at ${at}`,
      kind: 'model',
      text: `unit ${unitId}: model ${id}${model ? `, ${name},` : ', whose points are not known here,'} at ${at}: ${own.length} points`,
      values: { unitId, model: id, name, register: at, length, points: own.length },
      ...(own.length > 0 ? { proposes: { points: own } } : {}),
    });
    at = start + length;
  }
  survey.found({
    id: `unit ${unitId}`,
    kind: 'unit',
    text: `unit ${unitId} speaks SunSpec from ${base}${title === undefined ? '' : `: ${title}`}; models ${names.join(', ')}`,
    values: { unitId, said: title ?? 'SunSpec' },
    proposes: { devices: [{ id: `unit-${unitId}`, ...(title === undefined ? {} : { title }), address: { unitId }, points }] },
  });
  return true;
}

async function baseOf(read: Read): Promise<number | undefined> {
  for (const base of bases) {
    const said = await read(base, 2);
    if (said.kind === 'answer' && said.answer.readUInt32BE(0) === mark) return base;
    // A unit that is silent here is not asked twice more.
    if (said.kind === 'timeout') return undefined;
  }
  return undefined;
}

/** The data of one model, in as many reads as it takes; undefined if one of them fails. */
async function dataOf(read: Read, start: number, length: number): Promise<Buffer | undefined> {
  const parts: Buffer[] = [];
  for (let at = 0; at < length; at += limits.modbusRegistersMax) {
    const part = await read(start + at, Math.min(limits.modbusRegistersMax, length - at));
    if (part.kind !== 'answer') return undefined;
    parts.push(part.answer);
  }
  return Buffer.concat(parts);
}

function text(bytes: Buffer, register: number, registers: number): string {
  const end = Math.min(bytes.length, (register + registers) * 2);
  return bytes
    .toString('latin1', register * 2, end)
    .replace(/\0.*$/s, '')
    .trim();
}
