/**
 * A boiler on your desk, images of devices one can buy (modbus-images.ts) and units that misbehave (modbus-faults.ts): the boiler is unit 1 of a Modbus TCP server, laid out as `boiler` in the example settings. It lives by the clock it is
 * given: the flow temperature follows the setpoint while the pump runs, the burner takes power, the counter counts; with the pump
 * off and the flow hot it trips, and stays off until its fault is reset.
 */
import { clockUnit, manners } from './modbus-faults.ts';
import { readImages } from './modbus-images.ts';
import { exceptions, type Unit } from './modbus-protocol.ts';
import { type ModbusServer, startModbusServer } from './modbus-server.ts';

export interface PlantOptions {
  host?: string;
  /** 0 takes a free one. */
  port?: number;
  /** Folders with images of devices; the built-in ones unless said. */
  images?: readonly string[];
  /** Milliseconds; only differences count. */
  clock?: { nowMs(): number };
}

const defaultPort = 1502;

export function startPlant(options: PlantOptions = {}): Promise<ModbusServer> {
  const { host = '127.0.0.1', port = defaultPort, images, clock = { nowMs: () => performance.now() } } = options;
  const faulty = [...manners.keys()].map((unitId): [number, Unit] => [unitId, clockUnit(clock)]);
  return startModbusServer({ host, port, units: new Map([...faulty, ...readImages(images), [1, boilerUnit(new Boiler(clock))]]), manners });
}

const ambientC = 18;
/** Time constants of warming and of cooling down: quick enough to watch. */
const warmingS = 25;
const coolingS = 180;
const powerMaxKw = 480;
/** What the house takes for every degree above ambient. */
const lossKwPerC = 6;
const tripC = 60;
/** The longest step that is calculated at once; a plant nobody asked for an hour catches up in a few hundred. */
const stepS = 5;
const catchUpS = 3_600;

class Boiler {
  setpointC = 55;
  pump: boolean = true;
  fault: boolean = false;
  flowC = 41.5;
  powerKw = 0;
  energyKwh = 1_204_317.2;
  readonly #clock: { nowMs(): number };
  #atMs: number;

  constructor(clock: { nowMs(): number }) {
    this.#clock = clock;
    this.#atMs = clock.nowMs();
  }

  /** Brings the plant to the present; called before every look at it, so that it needs no timer. */
  live(): void {
    const now = this.#clock.nowMs();
    let passedS = Math.min((now - this.#atMs) / 1_000, catchUpS);
    this.#atMs = now;
    for (; passedS > 0; passedS -= stepS) this.#step(Math.min(passedS, stepS));
  }

  #step(seconds: number): void {
    const burning = this.pump && !this.fault;
    const wantedC = burning ? this.setpointC : ambientC;
    const share = 1 - Math.exp(-seconds / (burning ? warmingS : coolingS));
    this.flowC += (wantedC - this.flowC) * share;
    const demandKw = lossKwPerC * (this.flowC - ambientC) + 20 * (wantedC - this.flowC);
    this.powerKw = burning ? Math.min(Math.max(demandKw, 0), powerMaxKw) : 0;
    this.energyKwh += (this.powerKw * seconds) / 3_600;
  }

  /** What the sensor shows: a boiler is never quite still. */
  get shownC(): number {
    const ripple = this.pump ? 0.3 * Math.sin(this.#atMs / 3_000) + 0.15 * Math.sin(this.#atMs / 790) : 0;
    return this.flowC + ripple;
  }

  setPump(on: boolean): void {
    this.pump = on;
    if (!on) this.powerKw = 0;
    if (!on && this.flowC > tripC) this.fault = true;
  }
}

const serialNumber = 'FG-B2-000421';
const setpointRaw = { min: 200, max: 900 };

/** Input 0 flow temperature, holding 10 power, 20 energy, 30 setpoint, 100 serial number; coil 3 pump, 9 fault reset; discrete 0 fault, 1 burner. */
function boilerUnit(boiler: Boiler): Unit {
  return {
    now() {
      boiler.live();
      return {
        // Some PLCs have their coils only in eights; so has this one.
        coil: new Map(Array.from({ length: 16 }, (_, address) => [address, address === 3 && boiler.pump])),
        discrete: new Map([
          [0, boiler.fault],
          [1, boiler.powerKw > 0],
        ]),
        input: laid([[0, int16(boiler.shownC * 10)]]),
        holding: laid([
          [10, lowRegisterFirst(float32(boiler.powerKw))],
          [20, uint64(boiler.energyKwh)],
          [30, int16(boiler.setpointC * 10)],
          [100, text(serialNumber, 8)],
        ]),
      };
    },
    setCoils(address, values) {
      boiler.live();
      const places = values.map((_, index) => address + index);
      if (!places.every((place) => place === 3 || place === 9)) return exceptions.illegalAddress;
      for (const [index, on] of values.entries()) {
        if (places[index] === 3) boiler.setPump(on);
        // A push button: it acts when pressed and springs back.
        else if (on) boiler.fault = false;
      }
      return undefined;
    },
    setHolding(address, values) {
      boiler.live();
      const raw = values[0] ?? 0;
      if (address !== 30 || values.length !== 1) return exceptions.illegalAddress;
      if (raw < setpointRaw.min || raw > setpointRaw.max) return exceptions.illegalValue;
      boiler.setpointC = raw / 10;
      return undefined;
    },
  };
}

/** Bytes at their registers. */
function laid(parts: readonly [register: number, bytes: Buffer][]): Map<number, number> {
  const registers = new Map<number, number>();
  for (const [register, bytes] of parts) {
    for (let at = 0; at < bytes.length; at += 2) registers.set(register + at / 2, bytes.readUInt16BE(at));
  }
  return registers;
}

function int16(value: number): Buffer {
  const bytes = Buffer.alloc(2);
  bytes.writeInt16BE(Math.round(value));
  return bytes;
}

function float32(value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeFloatBE(value);
  return bytes;
}

function uint64(value: number): Buffer {
  const bytes = Buffer.alloc(8);
  bytes.writeBigUInt64BE(BigInt(Math.floor(value)));
  return bytes;
}

function text(value: string, registers: number): Buffer {
  const bytes = Buffer.alloc(registers * 2);
  bytes.write(value, 'ascii');
  return bytes;
}

function lowRegisterFirst(bytes: Buffer): Buffer {
  return Buffer.concat([bytes.subarray(2), bytes.subarray(0, 2)]);
}
