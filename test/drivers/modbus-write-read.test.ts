/**
 * What is set is what is read, for every type, order and scale, through the whole gateway to a far end that shares nothing with it: Python does the
 * scaling on paper (decimals without end) and says what its registers hold. Each run sets every type in every order at once.
 */
import fc from 'fast-check';
import { afterAll, beforeAll, expect, it, vi } from 'vitest';
import { drivers } from '../../drivers/index.ts';
import { orders16, orders32, orders64 } from '../../drivers/modbus/order.ts';
import { type CommandRecord, setBodySchema } from '../../src/contract/command.ts';
import type { Value } from '../../src/contract/sample.ts';
import { readSettings } from '../../src/datasource/settings.ts';
import { type FarProgram, startPython } from '../far/python.ts';
import { openGateway } from '../gateway/open.ts';
import { user } from '../gateway/rig.ts';

const ladder: [scale: number, offset: number][] = [
  [1, 0],
  [0.1, 0],
  [0.001, -273.15],
  [-0.5, 40],
  [10, 0],
  [1 / 3, 1000],
];
const whole = { int16: 16, uint16: 16, int32: 32, uint32: 32, int64: 64, uint64: 64 } as const;
const ordersOf = (bits: number): readonly string[] => (bits === 16 ? orders16 : bits === 32 ? orders32 : orders64);

interface Place {
  type: string;
  order: string;
  bits: number;
  register: number;
}

const places: Place[] = [];
let register = 0;
for (const [type, bits] of [...Object.entries(whole), ['float32', 32], ['float64', 64]] as [string, number][]) {
  for (const order of ordersOf(bits)) {
    places.push({ type, order, bits, register });
    register += bits / 16;
  }
}
const idOf = ({ type, order }: Place, step: number) => `${type}_${order}_${step}`;
const addressOf = ({ type, order, register: at }: Place) => ({ table: 'holding', register: at, type, order });

let far: FarProgram;
const { gateway, close } = openGateway({ key: '1/numbers' });

beforeAll(async () => {
  far = await startPython('modbus.py');
  const points = places.flatMap((place) =>
    ladder.map(([scale, offset], step) => ({
      id: idOf(place, step),
      address: addressOf(place),
      access: 'read-write',
      scale,
      offset,
      interval: '1h',
    })),
  );
  const settings = {
    version: 1,
    connections: [{ id: 'plc', kind: 'modbus', transport: { type: 'tcp', host: '127.0.0.1', port: far.port } }],
    devices: [{ id: 'd', connection: 'plc', points }],
  };
  const plan = readSettings({ jsonData: Buffer.from(JSON.stringify(settings)), secureJsonData: {} }, drivers);
  expect(plan.faults).toEqual([]);
  await gateway.apply(plan);
  await vi.waitFor(() => expect(gateway.connections()[0]?.state).toBe('up'), 10_000);
});
afterAll(async () => {
  await close();
  await far?.kill();
});

async function set(id: string, value: number | string | bigint): Promise<CommandRecord> {
  const record = await gateway.set({ device: 'd', point: id }, setBodySchema.parse({ value, wait: '20s', expires: '20s' }), user);
  expect(record, `${id} := ${value}`).toMatchObject({ state: 'verified' });
  return record;
}

/** Bits of an integer, the edges often. */
const wholeOf = ({ type, bits }: Place) => {
  const signed = type.startsWith('int');
  const min = signed ? -(2n ** BigInt(bits - 1)) : 0n;
  const max = min + 2n ** BigInt(bits) - 1n;
  const edges = [min, min + 1n, 0n, 1n, max - 1n, max, 2n ** 53n, 2n ** 53n + 1n].filter((edge) => edge >= min && edge <= max);
  return fc.oneof({ weight: 3, arbitrary: fc.bigInt({ min, max }) }, { weight: 1, arbitrary: fc.constantFrom(...edges) });
};
const realOf = ({ type }: Place) =>
  type === 'float32'
    ? fc.float({ noNaN: true, noDefaultInfinity: true })
    : fc.double({ noNaN: true, noDefaultInfinity: true, max: 1e300, min: -1e300 });

const pick = fc.tuple(
  ...places.map((place) =>
    fc.record({
      step: fc.nat(ladder.length - 1),
      raw: (place.type.startsWith('float') ? realOf(place) : wholeOf(place)) as fc.Arbitrary<number | bigint>,
      asText: fc.boolean(),
    }),
  ),
);

const paper = async (lines: [raw: bigint | string, step: number][]) =>
  (await far.ask({ paper: lines.map(([raw, step]) => [String(raw), ...(ladder[step] ?? []).map(String)]) })).value as number[];

/** Whole numbers of this place in this step of the ladder are told apart by a double. */
const isResolved = (engineering: number, step: number) => {
  const [scale, offset] = ladder[step] ?? [1, 0];
  return Math.abs(engineering) + Math.abs(offset) < Math.abs(scale) * 2 ** 51;
};

it('reads what was set, in every type, order and scale', { timeout: 90_000 }, async () => {
  await fc.assert(
    fc.asyncProperty(pick, async (picks) => {
      const each = places.map((place, i) => ({ place, ...(picks[i] ?? { step: 0, raw: 0, asText: false }) }));
      const wholes = each.filter((one) => typeof one.raw === 'bigint') as ((typeof each)[number] & { raw: bigint })[];
      const reals = each.filter((one) => typeof one.raw === 'number') as ((typeof each)[number] & { raw: number })[];
      const engineering = await paper(wholes.map(({ raw, step }) => [raw, step]));

      const ends = await Promise.allSettled([
        ...wholes.map(({ place, raw, step, asText }, i) =>
          set(
            idOf(place, step),
            step > 0 ? (engineering[i] ?? 0) : asText ? String(raw) : Number.isSafeInteger(Number(raw)) ? Number(raw) : raw,
          ),
        ),
        ...reals.map(({ place, raw, step }) => set(idOf(place, step), askedOf(place, raw, step))),
      ]);
      const records = ends.map((end) => {
        if (end.status === 'rejected') throw end.reason;
        return end.value;
      });
      const held = (await far.ask({ many: each.map(({ place }) => ({ get: true, ...addressOf(place) })) })).value as (number | string)[];
      const heldBy = new Map(each.map(({ place }, i) => [place, held[i]]));
      const onPaper = await paper(wholes.map(({ place, step }) => [String(heldBy.get(place)), step]));

      wholes.forEach(({ place, raw, step }, i) => {
        const said = `${idOf(place, step)}: ${raw}, Python holds ${heldBy.get(place)}`;
        const read: Value | undefined = records[i]?.readBack;
        if (step === 0) {
          expect(BigInt(read as number | bigint), said).toBe(raw);
          expect(typeof read, said).toBe(place.bits === 64 ? 'bigint' : 'number');
          expect(String(heldBy.get(place)), said).toBe(String(raw));
          return;
        }
        expect(read, said).toBe(engineering[i]);
        expect(onPaper[i], said).toBe(engineering[i]);
        if (isResolved(engineering[i] ?? 0, step)) expect(String(heldBy.get(place)), said).toBe(String(raw));
      });
      reals.forEach(({ place, raw, step }, i) => {
        const asked = askedOf(place, raw, step);
        const read = records[wholes.length + i]?.readBack as number;
        const said = `${idOf(place, step)}: ${asked}, Python holds ${heldBy.get(place)}`;
        if (step === 0) {
          // Unscaled: to the last bit, at the far end and back; a float32 reads as a decimal that is the same float32.
          expect(Object.is(heldBy.get(place), raw), said).toBe(true);
          expect(Object.is(place.type === 'float32' ? Math.fround(read) : read, raw), said).toBe(true);
          return;
        }
        const [scale, offset] = (ladder[step] ?? [1, 0]).map(Math.abs) as [number, number];
        const [digits, smallest] = place.type === 'float32' ? [2 ** -22, 2 ** -149] : [2 ** -49, 2 ** -1074];
        expect(Math.abs(read - asked), said).toBeLessThanOrEqual(digits * (Math.abs(asked) + offset) + scale * smallest);
      });
    }),
    // The message names the place at fault; a smaller case of forty would say no more.
    { numRuns: 60, endOnFailure: true },
  );
});

/** What to ask for so that the place can hold it: unscaled the float itself, else its engineering value. */
function askedOf({ type }: Place, raw: number, step: number): number {
  const [scale, offset] = ladder[step] ?? [1, 0];
  if (step === 0) return raw;
  // Far from the ends: scaling must not leave the range of the place.
  const inner = type === 'float32' ? Math.fround(Math.sign(raw) * Math.min(Math.abs(raw), 1e30)) : raw;
  return inner * scale + offset;
}
