/**
 * Devices as their makers' register maps describe them, as files: what is in each place, and which places may be written. Those beside this file were
 * made by `test/far/device_images.py --write`, from public maps and SunSpec's own models and not from our profiles; a person may add some of their own.
 */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { exceptions, type Unit } from './modbus-protocol.ts';

/** A run of neighbours by the place of the first, counted from 0. Registers are 0 to 65535, bits 0 or 1. */
type Runs = Record<string, number[]>;
/** From the first to the last place. */
type Range = [first: number, last: number];

/** The file of one device; a place that is not named, the device does not have. */
interface Image {
  /** 1 to 247. */
  unitId: number;
  /** Where it is from, for people. */
  source?: string;
  coil?: Runs;
  discrete?: Runs;
  input?: Runs;
  holding?: Runs;
  /** What may be written; nothing else. */
  writable?: { coil?: Range[]; holding?: Range[] };
  /** Coils that set several others at once. */
  together?: Record<string, Range>;
}

export const imagesFolder = fileURLToPath(new URL('./images/', import.meta.url));

/** Units by their id; of two files for one unit the later folder's counts. Throws with the file's name if one cannot be read. */
export function readImages(folders: readonly string[] = [imagesFolder]): Map<number, Unit> {
  const units = new Map<number, Unit>();
  for (const folder of folders) {
    for (const name of readdirSync(folder).filter((file) => file.endsWith('.json'))) {
      const path = join(folder, name);
      try {
        const image = JSON.parse(readFileSync(path, 'utf8')) as Image;
        if (!Number.isInteger(image.unitId) || image.unitId < 1 || image.unitId > 247) throw new Error('unitId must be 1 to 247');
        units.set(image.unitId, imageUnit(image));
      } catch (error) {
        throw new Error(`${path} is no image of a device: ${error instanceof Error ? error.message : String(error)}`, { cause: error });
      }
    }
  }
  return units;
}

function imageUnit({ coil, discrete, input, holding, writable = {}, together = {} }: Image): Unit {
  const bits = (runs: Runs = {}) => new Map([...places(runs)].map(([place, bit]) => [place, bit === 1]));
  const tables = { coil: bits(coil), discrete: bits(discrete), input: places(input), holding: places(holding) };
  return {
    now: () => tables,
    setCoils: (address, values) =>
      set(writable.coil, address, values, (place, on) => {
        const others = together[place];
        if (others) for (let other = others[0]; other <= others[1]; other++) tables.coil.set(other, on);
        else tables.coil.set(place, on);
      }),
    setHolding: (address, values) => set(writable.holding, address, values, (place, word) => void tables.holding.set(place, word)),
  };
}

/** All or none. */
function set<T>(ranges: Range[] = [], address: number, values: readonly T[], put: (place: number, value: T) => void): number | undefined {
  const mayBe = (place: number) => ranges.some(([first, last]) => first <= place && place <= last);
  if (!values.every((_, index) => mayBe(address + index))) return exceptions.illegalAddress;
  for (const [index, value] of values.entries()) put(address + index, value);
  return undefined;
}

function places(runs: Runs = {}): Map<number, number> {
  return new Map(Object.entries(runs).flatMap(([first, values]) => values.map((value, index) => [Number(first) + index, value] as const)));
}
