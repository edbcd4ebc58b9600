/** Framing: each named form from a far end that makes it by the book, whole and damaged; fuzzed streams. */
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type ChecksumOptions, checksumSchema, createChecksum } from '../../drivers/serial/framing/checksum.ts';
import { createFraming } from '../../drivers/serial/framing/create.ts';
import { framingSchema } from '../../drivers/serial/framing/settings.ts';
import { limits } from '../../src/contract/limits.ts';
import { portName } from '../far/port.ts';
import { type FarProgram, startPython } from '../far/python.ts';
import { hostWith, lineTo, listen, open, read, soak } from './serial-rig.ts';

const path = portName();
let far: FarProgram;
beforeAll(async () => {
  far = await startPython('serial_frames.py', path);
});
afterAll(() => far.kill());

const crc = (poly: string, init: string, reflected: boolean, more: object = {}) => ({
  type: 'crc',
  poly,
  init,
  refin: reflected,
  refout: reflected,
  ...more,
});
const modbusCrc = crc('0x8005', '0xFFFF', true, { order: 'little' });
const crc32 = crc('0x04C11DB7', '0xFFFFFFFF', true, { width: 32, xorout: '0xFFFFFFFF' });

/** Each with the checksum that the far end puts there. */
const forms: Record<string, Record<string, unknown>> = {
  slip: { type: 'slip', checksum: crc32 },
  cobs: { type: 'cobs', checksum: crc('0x1021', '0xFFFF', false) },
  fixed: { type: 'fixed', length: 9, start: 'aa 55', checksum: crc('0x07', '0x0', false, { width: 8 }) },
  length: { type: 'length', start: 'aa', offset: 1, width: 2, endian: 'little', extra: 2, gap: '40ms', checksum: modbusCrc },
  inclusive: { type: 'length', offset: 0, inclusive: true, gap: '100ms', checksum: { type: 'sum', complement: 'twos' } },
  stx: { type: 'markers', start: '02', end: '03', trailing: 1, checksum: { type: 'xor', from: 1 } },
  hdlc: {
    type: 'markers',
    start: '7e',
    end: '7e',
    escape: '7d',
    escapeXor: '20',
    checksum: crc('0x1021', '0xFFFF', false, { order: 'little' }),
  },
  dle: { type: 'markers', start: '10 02', end: '10 03', escape: '10', checksum: { type: 'xor' } },
  silence: { type: 'silence', gap: '30ms', checksum: modbusCrc },
  nmea: { type: 'delimiter', checksum: { type: 'nmea' } },
  json: { type: 'json-lines' },
  semicolon: { type: 'delimiter', delimiter: ';;', checksum: { type: 'sum', as: 'hex' } },
};

const hex2 = (byte: number) => byte.toString(16).padStart(2, '0');

/** Payloads whose first bytes are the value; escapes, zeros and markers are in them where the form has to stand that. */
function payload(form: string, n: number): Buffer {
  if (form === 'nmea') return Buffer.from(`GPABC,${n}`);
  if (form === 'json') return Buffer.from(JSON.stringify({ n: { deep: [n] } }));
  if (form === 'semicolon' || form === 'stx') return Buffer.from(`N=${n}`);
  const bytes = Buffer.from([0, 0, 0xc0, 0x7e, 0x10, 0]);
  bytes.writeUInt16BE(n);
  return bytes;
}

function placeIn(form: string): Record<string, unknown> {
  if (form === 'nmea') return { take: { as: 'nmea', sentence: 'ABC', field: 1 } };
  if (form === 'json') return { take: { as: 'json', path: '$.n.deep[0]' } };
  if (form === 'semicolon' || form === 'stx') return { line: '^N=(?<n>\\d+)$' };
  const offset = { fixed: 2, length: 3, inclusive: 1 }[form] ?? 0;
  return { take: { as: 'binary', offset, type: 'uint16' } };
}

/** The far end has heard one of these and nothing else; what was sent has left us before it has read all of it. */
async function hears(...wanted: unknown[]): Promise<void> {
  let heard = '';
  await expect
    .poll(async () => (heard += String((await far.ask({ heard: true })).value)), { timeout: 5_000 })
    .toSatisfy((all: string) => wanted.includes(all));
}

describe('framing', () => {
  it.each(Object.keys(forms))(
    '%s: whole frames are read, a damaged one is not, and the place is found again after garbage',
    async (form) => {
      const host = hostWith();
      const line = lineTo({ path, framing: forms[form] }, { n: placeIn(form) });
      const session = await open(line, host);
      const heard = listen(session, line);
      await new Promise((done) => setTimeout(done, limits.serialSettleMs));
      const say = async (n: number, spoil = false) => {
        await far.ask({ frame: form, payload: payload(form, n).toString('hex'), spoil });
      };
      // Said again until it is heard: what garbage and damage take with them is the line's loss, a wrong value would be ours.
      const sayUntilHeard = async (n: number) =>
        await expect
          .poll(
            async () => {
              if (heard.includes(`n=${n}`)) return true;
              await say(n);
              await new Promise((done) => setTimeout(done, 60));
              return heard.includes(`n=${n}`);
            },
            { timeout: 5_000 },
          )
          .toBe(true);
      await sayUntilHeard(258);
      await say(300, true);
      await expect.poll(() => host.seen.some(({ isFault }) => isFault), { timeout: 5_000 }).toBe(true);
      await sayUntilHeard(772);
      await far.ask({ hex: '00ff13aa5502c07e10' });
      await sayUntilHeard(1_286);
      expect(new Set(heard)).toEqual(new Set(['n=258', 'n=772', 'n=1286']));
    },
  );

  it.each(['slip', 'cobs', 'hdlc', 'dle', 'stx', 'nmea'])('%s: what is sent is framed as the far end frames it', async (form) => {
    const sent = payload(form, 513);
    const text = form === 'nmea' ? `$${sent}\r\n` : form === 'stx' ? sent.toString() : { hex: sent.toString('hex') };
    const line = lineTo(
      { path, framing: forms[form], encoding: 'latin1', timeout: '100ms' },
      { it: { request: text, reply: '(?<none>never)' } },
    );
    const session = await open(line);
    const reading = read(session, line, 'it');
    const { value: wanted } = await far.ask({ frame: form, payload: sent.toString('hex') });
    await reading;
    await hears(wanted);
  });

  it.each([0, 249, 250, 251, 252, 503, 504, 505, 508])(
    'cobs: %i bytes without a zero, which blocks of 254 divide, both ways',
    async (length) => {
      // The checksum is two bytes more; none of what is said is a zero.
      const sent = Buffer.from(Array.from({ length: length + 2 }, (_, i) => 1 + (i % 255)));
      const line = lineTo(
        { path, framing: forms.cobs, timeout: '3s' },
        { it: { request: { hex: sent.toString('hex') }, reply: { hex: '77' }, take: { as: 'binary', offset: 0, type: 'uint8' } } },
      );
      const host = hostWith();
      const session = await open(line, host);
      const reading = read(session, line, 'it');
      await expect.poll(async () => (await far.ask({ hex: '' })) && host.seen.length).toBe(1);
      const said = Buffer.concat([Buffer.from([0x77]), sent.reverse()]);
      const { value: spelt } = await far.ask({ frame: 'cobs', payload: said.toString('hex') });
      expect((await reading)?.value).toBe(0x77);
      expect(Buffer.from(host.seen.at(-1)?.bytes ?? []).toString('hex')).toBe(said.toString('hex'));
      expect(spelt).not.toContain('0000');
      const { value: wanted } = await far.ask({ frame: 'cobs', payload: sent.reverse().toString('hex') });
      // Behind a full block at the end the far end puts an empty one, and we put none: both are COBS.
      await hears(wanted, String(wanted).replace(/0100$/, '00'));
    },
  );

  it.each([
    ['CRC-16/MODBUS', crc('0x8005', '0xFFFF', true), '4b37'],
    ['CRC-16/XMODEM', crc('0x1021', '0x0', false), '31c3'],
    ['CRC-16/IBM-3740', crc('0x1021', '0xFFFF', false), '29b1'],
    ['CRC-16/IBM-SDLC', crc('0x1021', '0xFFFF', true, { xorout: '0xFFFF' }), '906e'],
    ['CRC-32/ISO-HDLC', crc('0x04C11DB7', '0xFFFFFFFF', true, { width: 32, xorout: '0xFFFFFFFF' }), 'cbf43926'],
    ['CRC-32/MPEG-2', crc('0x04C11DB7', '0xFFFFFFFF', false, { width: 32 }), '0376e6e7'],
    ['CRC-8/SMBUS', crc('0x07', '0x0', false, { width: 8 }), 'f4'],
    ['CRC-8/MAXIM-DOW', crc('0x31', '0x0', true, { width: 8 }), 'a1'],
    ['CRC-16/ARC in other bit orders', { ...crc('0x8005', '0x0', true), refout: false }, 'bcdd'],
    ['sum', { type: 'sum' }, 'dd'],
    ["sum, two's complement", { type: 'sum', complement: 'twos' }, '23'],
    ["sum, ones' complement", { type: 'sum', complement: 'ones' }, '22'],
    ['sum of 16 bits', { type: 'sum', width: 16 }, '01dd'],
    ['sum of 32 bits, least significant first', { type: 'sum', width: 32, order: 'little' }, 'dd010000'],
    ['CRC-32/BZIP2', crc('0x04C11DB7', '0xFFFFFFFF', false, { width: 32, xorout: '0xFFFFFFFF' }), 'fc891918'],
    ['CRC-16/XMODEM in digits', crc('0x1021', '0x0', false, { as: 'hex' }), Buffer.from('31C3').toString('hex')],
    ['xor', { type: 'xor' }, '31'],
  ])('%s of "123456789" is what catalogues say', (_name, options, wanted) => {
    const checksum = createChecksum(checksumSchema.parse(options) as ChecksumOptions);
    expect(checksum.of(Buffer.from('123456789')).toString('hex')).toBe(wanted);
  });

  it('whatever comes, in whatever pieces: no crash, and no frame that was not sent whole', () => {
    // Their checksums begin with ones: one that begins with nothing does not notice a zero too many at the front.
    const strong = ['slip', 'cobs', 'length', 'hdlc'];
    // And have 32 bits: one of 16 lets a wrong frame in 65,536 through, and there are thousands in a run.
    const optionsOf = (form: string) => framingSchema.parse({ ...forms[form], checksum: crc32, ...(form === 'length' && { extra: 4 }) });
    fc.assert(
      fc.property(
        fc.constantFrom(...strong),
        fc.array(
          fc.oneof(
            fc.record({ good: fc.uint8Array({ minLength: 6, maxLength: 40 }) }),
            fc.record({ noise: fc.uint8Array({ maxLength: 60 }) }),
            fc.record({ spoilt: fc.uint8Array({ minLength: 6, maxLength: 40 }), bit: fc.nat(200) }),
          ),
          { maxLength: 25 },
        ),
        fc.array(fc.integer({ min: 1, max: 50 }), { minLength: 1, maxLength: 10 }),
        (form, parts, cuts) => {
          const framing = createFraming(optionsOf(form), 'latin1', () => {});
          const whole = (bytes: Uint8Array) => {
            const inner = Buffer.from(bytes);
            if (form !== 'length') return { inner, outer: framing.encode(inner) };
            const head = Buffer.from([0xaa, inner.length, 0, ...inner]);
            return { inner: head, outer: framing.encode(head) };
          };
          const sent = new Set<string>();
          const stream = Buffer.concat(
            parts.map((part) => {
              if ('noise' in part) return Buffer.from(part.noise);
              const { inner, outer } = whole('good' in part ? part.good : part.spoilt);
              sent.add(inner.toString('hex'));
              if ('spoilt' in part) outer[part.bit % outer.length] = (outer[part.bit % outer.length] ?? 0) ^ 0x10;
              return outer;
            }),
          );
          const got: string[] = [];
          for (let at = 0, cut = 0; at < stream.length; cut++) {
            const size = cuts[cut % cuts.length] ?? 1;
            for (const frame of framing.push(stream.subarray(at, at + size))) got.push(frame.toString('hex'));
            at += size;
          }
          for (const frame of framing.idle()) got.push(frame.toString('hex'));
          // Behind nothing a checksum of zeros is right: what is empty or that short is no evidence.
          for (const frame of got) if (frame.length > 8) expect(sent).toContain(frame);
        },
      ),
      { numRuns: soak ? 100_000 : 400 },
    );
  }, 600_000);

  it.each([
    ['slip', 'c0db01c0', 'malformed'],
    ['cobs', '050100', 'malformed'],
    ['json', '7b2261223a0a', 'malformed'],
    ['length', 'aaffff01', 'too-long'],
    ['stx', '02410242', 'partial'],
    ['dle', '10024110021003', 'partial'],
    ['semicolon', '4e3d313b3b', 'checksum'],
  ])('%s: %s is no frame, and why is told', (form, hex, wanted) => {
    const dropped: string[] = [];
    const framing = createFraming(framingSchema.parse(forms[form]), 'latin1', (why) => void dropped.push(why));
    expect([...framing.push(Buffer.from(hex, 'hex'))]).toEqual([]);
    expect(dropped[0]).toBe(wanted);
  });

  it.each([
    ['slip', (content: string) => `${content}c0`, 10],
    // Counted as it is on the line: with the byte that COBS adds.
    ['cobs', (content: string) => `${hex2(content.length / 2 + 1)}${content}00`, 9],
    ['markers', (content: string) => `02${content}03`, 10],
    ['silence', (content: string) => content, 10],
  ])('%s: a frame as long as is allowed is one, and a byte more is none', (type, around, longest) => {
    const dropped: string[] = [];
    const options = { type, maxLength: 10, ...(type === 'markers' && { start: '02', end: '03' }) };
    const framing = createFraming(framingSchema.parse(options), 'latin1', (why) => void dropped.push(why));
    const said = (bytes: number) => [...framing.push(Buffer.from(around('41'.repeat(bytes)), 'hex')), ...framing.idle()];
    expect(said(longest).map(({ length }) => length)).toEqual([longest]);
    expect(dropped).toEqual([]);
    expect(said(longest + 1)).toEqual([]);
    expect(dropped).toEqual(['too-long']);
    expect(said(longest).map(({ length }) => length)).toEqual([longest]);
  });

  /** What is sealed and framed, with the header or the end that is written with it. */
  const wholeOf: Record<string, string> = {
    fixed: 'aa55000102030405',
    length: 'aa0600000102030405',
    inclusive: '08000102030405',
    nmea: Buffer.from('$N,1\r\n').toString('hex'),
    json: Buffer.from('{"a":1}\n').toString('hex'),
    semicolon: Buffer.from('N=1;;').toString('hex'),
  };

  it('half a frame for ever stays within its bounds, and a frame after it is found', () => {
    for (const form of Object.keys(forms)) {
      const dropped: string[] = [];
      const framing = createFraming(framingSchema.parse(forms[form]), 'latin1', (why) => void dropped.push(why));
      const first = Buffer.from([0xaa, 0x55, 0x02, 0x10, 0x02, 0x7e, 0x24]);
      for (const _ of framing.push(first));
      let frames = 0;
      for (let i = 0; i < 200; i++) for (const _ of framing.push(Buffer.alloc(1_000, 0x41))) frames += 1;
      for (const _ of framing.idle()) frames += 1;
      expect(frames, form).toBe(0);
      // The first may be taken for the end of what came before.
      const good = Buffer.from(wholeOf[form] ?? '4e3d31', 'hex');
      const found = [1, 2].flatMap(() => [...framing.push(framing.encode(good)), ...framing.idle()]);
      expect(found.length, form).toBeGreaterThan(0);
    }
  });
});
