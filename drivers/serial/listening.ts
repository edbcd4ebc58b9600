/** Frames that the device says by itself → readings of the points that listen. */
import type { Point } from '../../src/contract/device.ts';
import type { Reading, Sink } from '../../src/contract/driver.ts';
import type { Taken } from '../../src/contract/pattern.ts';
import { type Address, isHeard } from './address.ts';
import { type Decoder, readValue } from './decoder.ts';
import type { Frame } from './frame.ts';
import { type Places, showFrame } from './match.ts';

type SerialPoint = Point<Address>;

/** Points that choose frames alike; frames are looked at once for them. */
interface Ear {
  decoder: Decoder;
  places: Places;
  points: { point: SerialPoint; decoder: Decoder }[];
  /** Frames heard while none has fitted; undefined once one has. */
  misses: number | undefined;
}

/** Frames without a fit before a point says that it waits in vain: a device may say several kinds of them. */
const missesMax = 20;

export class Listening {
  readonly #ears: Ear[];
  readonly #sink: Sink<Address>;

  constructor(
    points: readonly SerialPoint[],
    sink: Sink<Address>,
    of: (point: SerialPoint) => { decoder: Decoder; id: string | undefined },
  ) {
    const ears = new Map<string, Ear>();
    for (const point of points) {
      if (!isHeard(point.address)) continue;
      const { decoder, id } = of(point);
      const { line, take } = point.address;
      const key = JSON.stringify([id, line, line === undefined ? take : '']);
      const ear = ears.get(key);
      if (ear) ear.points.push({ point, decoder });
      else ears.set(key, { decoder, places: { id, sequence: undefined }, points: [{ point, decoder }], misses: 0 });
    }
    this.#ears = [...ears.values()];
    this.#sink = sink;
  }

  /** Frames in the order in which they came. */
  hear(frames: readonly Frame[]): void {
    const readings: Reading<Address>[] = [];
    for (const frame of frames) {
      for (const ear of this.#ears) {
        const found = ear.decoder.choose(frame, ear.places);
        if (found) this.#heard(ear, frame, found, readings);
        else this.#missed(ear, frame);
      }
    }
    if (readings.length > 0) this.#sink.samples(readings);
  }

  #heard(ear: Ear, frame: Frame, groups: Taken, readings: Reading<Address>[]): void {
    if (ear.misses !== undefined && ear.misses >= missesMax) for (const { point } of ear.points) this.#sink.trouble(point, undefined);
    ear.misses = undefined;
    for (const { point, decoder } of ear.points) {
      const { value, reason, detail } = readValue(point.address, decoder, frame, groups);
      readings.push(detail === undefined ? { point, value, reason } : { point, value, reason, detail });
    }
  }

  #missed(ear: Ear, frame: Frame): void {
    if (ear.misses === undefined) return;
    ear.misses += 1;
    if (ear.misses !== missesMax) return;
    for (const { point } of ear.points) {
      const wanted = point.address.line === undefined ? 'has its value' : 'fits its expression';
      this.#sink.trouble(point, `none of the ${missesMax} lines heard so far ${wanted}; the last was ${showFrame(frame)}`);
    }
  }
}
