/** Decoding: each way of taking a value out of a frame, whole and malformed. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { limits } from '../../src/contract/limits.ts';
import { portName } from '../far/port.ts';
import { type FarProgram, startPython } from '../far/python.ts';
import { lineTo, listen, open } from './serial-rig.ts';

const path = portName();
let far: FarProgram;
beforeAll(async () => {
  far = await startPython('serial_frames.py', path);
});
afterAll(() => far.kill());

/** Sentences as receivers say them, and what the standard calls their fields. */
const nmeaSamples = [
  ['$GPRMC,083559.00,A,4717.11437,S,00833.91522,W,0.004,77.52,091202,,,A', 'RMC', 'longitude', -8.565_253_7],
  ['$GPRMC,083559.00,A,4717.11437,S,00833.91522,W,0.004,77.52,091202,,,A', 'RMC', 'speed', 0.004],
  ['$GPRMC,083559.00,A,4717.11437,S,00833.91522,W,0.004,77.52,091202,,,A', 'RMC', 'date', 91_202],
  ['$GPGLL,4916.45,N,12311.12,W,225444,A', 'GLL', 'latitude', 49.274_166_7],
  ['$GPGLL,4916.45,N,12311.12,W,225444,A', 'GLL', 'status', 'A'],
  ['$GPVTG,054.7,T,034.4,M,005.5,N,010.2,K', 'VTG', 'course', 54.7],
  ['$GPVTG,054.7,T,034.4,M,005.5,N,010.2,K', 'VTG', 'speed_kmh', 10.2],
  ['$GPGSA,A,3,04,05,,09,12,,,24,,,,,2.5,1.3,2.1', 'GSA', 'mode', 3],
  ['$GPGSA,A,3,04,05,,09,12,,,24,,,,,2.5,1.3,2.1', 'GSA', 'vdop', 2.1],
  ['$GPGSV,2,1,08,01,40,083,46,02,17,308,41', 'GSV', 'satellites', 8],
  ['$GPZDA,201530.00,04,07,2002,00,00', 'ZDA', 'year', 2_002],
  ['$GPHDT,274.07,T', 'HDT', 'heading', 274.07],
  ['$SDDBT,8.1,f,2.4,M,1.3,F', 'DBT', 'depth', 2.4],
  ['$WIMWV,214.8,R,0.1,K,A', 'MWV', 'speed', 0.1],
  ['$YXMTW,17.75,C', 'MTW', 'temperature', 17.75],
  ['$PGRME,15.0,M,45.0,M,25.0,M', 'PGRME', 3, 45],
] as const;

describe('decoding', () => {
  it.each([
    ['split', { as: 'split', separator: ',', index: 2 }, 'D,1, 21.5 ,x', 'it=21.5'],
    ['split from the end', { as: 'split', separator: ',', index: -1 }, 'D,1,7', 'it=7'],
    ['blanks', { as: 'split', separator: ' ', index: 1 }, '  ST   12.5 kg', 'it=12.5'],
    ['pairs', { as: 'pairs', key: 'H', between: ';', equals: '=' }, 'T=21.5; H = 40', 'it=40'],
    ['columns', { as: 'columns', start: 6, length: 8 }, 'ST,GS,  12.340kg', 'it=12.34'],
    ['json', { as: 'json', path: "$.a['b c'][1]" }, '{"a":{"b c":[1,9007199254740993]}}', 'it=9007199254740993'],
    ['json null', { as: 'json', path: '$.a' }, '{"a":null}', 'it!decode'],
    ['json true', { as: 'json', path: '$.a' }, '{"a":true}', 'it=true'],
    [
      'latitude',
      { as: 'nmea', sentence: 'GGA', field: 'latitude' },
      '$GPGGA,123519,4807.038,S,01131.000,E,1,08,0.9,545.4,M,46.9,M,,',
      'it=-48.1173',
    ],
    ['no fix', { as: 'nmea', sentence: 'GPGGA', field: 'altitude' }, '$GPGGA,123519,,,,,0,00,,,M,,M,,', 'it='],
    [
      'satellites',
      { as: 'nmea', sentence: 'GGA', field: 'satellites' },
      '$GNGGA,123519,4807.038,N,01131.000,E,1,08,0.9,545.4,M,46.9,M,,',
      'it=8',
    ],
  ])('%s', async (_what, take, said, wanted) => {
    const line = lineTo({ path }, { it: { take } });
    const heard = listen(await open(line), line);
    await new Promise((done) => setTimeout(done, limits.serialSettleMs));
    // Another kind of line is nobody's.
    await far.ask({ hex: Buffer.from(`~\n${said}\r\n`).toString('hex') });
    await expect.poll(() => heard.length).toBeGreaterThan(0);
    expect(heard).toEqual([wanted]);
  });

  it.each(nmeaSamples)('%s: %s %s is %j', async (said, sentence, field, value) => {
    const line = lineTo({ path }, { it: { take: { as: 'nmea', sentence, field } } });
    const heard = listen(await open(line), line);
    await new Promise((done) => setTimeout(done, limits.serialSettleMs));
    await far.ask({ hex: Buffer.from(`${said}\r\n`).toString('hex') });
    await expect.poll(() => heard).toEqual([`it=${value}`]);
  });

  it.each([
    ['split, a field short', { as: 'split', separator: ',', index: 2 }, 'D,1', []],
    ['split, no number', { as: 'split', separator: ',', index: 2 }, 'D,1,--.-', ['it!decode']],
    ['columns, a line too short', { as: 'columns', start: 6, length: 8 }, 'ST,GS,', []],
    ['columns, shifted', { as: 'columns', start: 6, length: 4 }, 'ST,GS,1.2.34kg', ['it!decode']],
    ['pairs, without the key', { as: 'pairs', key: 'H', between: ';', equals: '=' }, 'T=21.5;HX=3', []],
    ['pairs, without a value', { as: 'pairs', key: 'H', between: ';', equals: '=' }, 'T=21.5;H=', ['it!decode']],
    ['pairs, no number', { as: 'pairs', key: 'H', between: ';', equals: '=' }, 'H=4O', ['it!decode']],
    ['json, cut off', { as: 'json', path: '$.a' }, '{"a":1', []],
    ['nmea, another sentence', { as: 'nmea', sentence: 'GGA', field: 'satellites' }, '$GPRMC,083559.00,A', []],
  ])('malformed: %s', async (_what, take, said, wanted) => {
    const line = lineTo({ path }, { it: { take, type: 'number' }, end: { line: '^END (?<n>[0-9]+)$' } });
    const heard = listen(await open(line), line);
    await new Promise((done) => setTimeout(done, limits.serialSettleMs));
    await far.ask({ hex: Buffer.from(`${said}\r\nEND 1\r\n`).toString('hex') });
    await expect.poll(() => heard.at(-1)).toBe('end=1');
    expect(heard.slice(0, -1)).toEqual(wanted);
  });

  it.each([
    [{ offset: 0, type: 'int16', endian: 'little' }, 'feff', 'it=-2'],
    [{ offset: 1, type: 'uint32' }, '00deadbeef', 'it=3735928559'],
    [{ offset: 0, type: 'int64' }, '8000000000000000', 'it=-9223372036854775808'],
    [{ offset: 0, type: 'uint24' }, '010000', 'it=65536'],
    [{ offset: 0, type: 'float32' }, '41ab3333', 'it=21.4'],
    [{ offset: 0, type: 'float32' }, '4f000000', 'it=2147483648'],
    [{ offset: 0, type: 'bcd', length: 3 }, '123456', 'it=123456'],
    [{ offset: 0, type: 'bcd', length: 3, endian: 'little' }, '563412', 'it=123456'],
    [{ offset: 0, type: 'uint8' }, 'ff', 'it=255'],
    [{ offset: 0, type: 'int8' }, 'ff', 'it=-1'],
    [{ offset: 0, type: 'int24', endian: 'little' }, 'feffff', 'it=-2'],
    [{ offset: 0, type: 'int32' }, 'fffffffe', 'it=-2'],
    [{ offset: 0, type: 'uint64', endian: 'little' }, 'ffffffffffffffff', 'it=18446744073709551615'],
    [{ offset: 0, type: 'float64' }, '4035800000000000', 'it=21.5'],
    [{ offset: 0, type: 'float32', endian: 'little' }, '3333ab41', 'it=21.4'],
    [{ offset: 1, type: 'int16', index: 1, endian: 'little' }, '000100feff', 'it=-2'],
    [{ offset: 0, type: 'string', length: 4 }, '41420000', 'it=AB'],
    [{ offset: -2, type: 'uint16' }, '0000000102', 'it=258'],
    [{ offset: 0, type: 'uint8', bit: 2, bits: 3 }, '14', 'it=5'],
    [{ offset: 0, type: 'uint16', index: 2 }, '000100020003', 'it=3'],
  ])('bytes %j of %s', async (place, hex, wanted) => {
    const line = lineTo({ path, framing: { type: 'slip' } }, { it: { take: { as: 'binary', ...place } } });
    const heard = listen(await open(line), line);
    await far.ask({ hex: `c0${hex}c0c001c0` });
    await expect.poll(() => heard.length).toBeGreaterThan(0);
    expect(heard[0]).toBe(wanted);
  });

  it.each([
    ['a frame too short', { offset: 2, type: 'uint32' }, '0001020304'],
    ['an element beyond the array', { offset: 0, type: 'uint16', index: 2 }, '00010002'],
    ['BCD of no digits', { offset: 0, type: 'bcd', length: 2 }, '12ab'],
  ])("malformed bytes: %s is nobody's value", async (_what, place, hex) => {
    const points = {
      it: { take: { as: 'binary', ...place } },
      end: { line: { hex: 'ee' }, take: { as: 'binary', offset: 1, type: 'uint8' } },
    };
    const line = lineTo({ path, framing: { type: 'slip' } }, points);
    const heard = listen(await open(line), line);
    await far.ask({ hex: `c0${hex}c0c0ee07c0` });
    await expect.poll(() => heard).toEqual(['end=7']);
  });

  it('a frame with other bytes at its beginning is another one', async () => {
    const place = { as: 'binary', offset: 2, type: 'uint8' };
    const line = lineTo(
      { path, framing: { type: 'slip' } },
      { a: { line: { hex: '01 ..' }, take: place }, b: { line: { hex: '02' }, take: place } },
    );
    const heard = listen(await open(line), line);
    await far.ask({ hex: 'c0010007c0c0020008c0c0030009c0' });
    await expect.poll(() => heard).toEqual(['a=7', 'b=8']);
  });

  it.each([
    [{ take: { as: 'nmea', sentence: 'GGA', field: 'colour' } }, /colour.*; GGA has time, latitude/],
    [{ take: { as: 'binary', offset: 0, type: 'float32', bit: 1 } }, /is given for float32; allowed only for whole numbers/],
    [{ take: { as: 'json', path: 'a.b' } }, /does not start with \$/],
    [{ line: { hex: 'zz' } }, /allowed are bytes in hexadecimal|neither an expression/],
    [{ request: 'X?\n' }, /reply.*is missing|is missing; a request needs/],
  ])('%j is refused with what is allowed', (address, words) => {
    expect(() => lineTo({ path }, { it: address })).toThrow(words);
  });
});
