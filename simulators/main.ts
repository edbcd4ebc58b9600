/**
 * `npm run sim`: devices on your desk. An MQTT broker with a living house, a Modbus TCP boiler, and on serial ports (where Python 3 and ptys are) a
 * greenhouse, an energy meter and a GPS receiver, and where avr-gcc and simavr are, a microcontroller that runs our sketch; `simulators/gateway.json`
 * describes them. When all are there it prints one line of JSON: `{"mqttPort":1883,"modbusPort":1502,"serialPath":"/tmp/fieldgate-uno",
 * "rtuPath":"/tmp/fieldgate-rs485","gpsPath":"/tmp/fieldgate-gps","boardPath":"/tmp/fieldgate-board"}`; what is not there is not in it. With `--faults`
 * topics of the broker misbehave too; `simulators/gateway-faults.json` describes what misbehaves, README.md how.
 */
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { imagesFolder } from './modbus-images.ts';
import { startPlant } from './modbus-plant.ts';
import { startBroker } from './mqtt-broker.ts';
import { startMqttFaults } from './mqtt-faults.ts';
import { startHouse } from './mqtt-house.ts';
import { startBoard } from './serial-board.ts';
import { startGps } from './serial-gps.ts';
import { startMeters } from './serial-meter.ts';
import { openSerialPort } from './serial-port.ts';
import { startUno } from './serial-uno.ts';
import { startLine } from './sparkplug-line.ts';

const usage =
  'allowed are --mqtt-port N, --modbus-port N (0 takes a free one), --serial-path PATH, --rtu-path PATH, --gps-path PATH, --board-path PATH, --images FOLDER (of Modbus devices), --host ADDRESS, --for 60s and --faults';

async function main(): Promise<void> {
  const { host, mqttPort, modbusPort, images, serialPath, rtuPath, gpsPath, boardPath, forMs, faults } = readArguments(
    process.argv.slice(2),
  );
  const ends: (() => unknown)[] = [];
  const broker = await startBroker({ host, port: mqttPort }).catch(refused('MQTT', mqttPort));
  ends.push(() => broker.close());
  const plant = await startPlant({ host, port: modbusPort, images: images === undefined ? [imagesFolder] : [imagesFolder, images] }).catch(
    refused('Modbus', modbusPort),
  );
  ends.push(() => plant.close());
  ends.push(startHouse({ broker }).stop);
  ends.push(startLine({ broker }).stop);
  if (faults) ends.push(startMqttFaults({ broker }).stop);
  const said: Record<string, unknown> = { mqttPort: broker.port, modbusPort: plant.port };
  for (const [name, path, start] of [
    ['serialPath', serialPath, startUno],
    ['rtuPath', rtuPath, startMeters],
    ['gpsPath', gpsPath, startGps],
  ] as const) {
    const port = await openSerialPort(path);
    if (!port) {
      console.error(`${path}: no serial port is simulated, because there is no python3 that can make one`);
      continue;
    }
    said[name] = path;
    ends.push(() => port.close(), start({ port }));
  }
  try {
    const board = await startBoard(boardPath);
    said.boardPath = boardPath;
    ends.push(() => board.close());
  } catch {
    console.error(`${boardPath}: no microcontroller runs our sketch, because there is no avr-gcc or no simavr`);
  }
  console.log(JSON.stringify(said));

  await new Promise<void>((resolve) => {
    const timer = forMs === undefined ? undefined : setTimeout(resolve, forMs);
    for (const signal of ['SIGINT', 'SIGTERM'] as const) {
      process.once(signal, () => {
        clearTimeout(timer);
        resolve();
      });
    }
  });
  // Devices before what carries them.
  for (const end of ends.reverse()) await end();
}

interface Arguments {
  host: string;
  mqttPort: number;
  modbusPort: number;
  images: string | undefined;
  serialPath: string;
  rtuPath: string;
  gpsPath: string;
  boardPath: string;
  forMs: number | undefined;
  faults: boolean;
}

function readArguments(args: string[]): Arguments {
  const options = {
    'mqtt-port': { type: 'string' },
    'modbus-port': { type: 'string' },
    images: { type: 'string' },
    'serial-path': { type: 'string' },
    'rtu-path': { type: 'string' },
    'gps-path': { type: 'string' },
    'board-path': { type: 'string' },
    host: { type: 'string' },
    for: { type: 'string' },
    faults: { type: 'boolean' },
  } as const;
  const { values } = parseArgs({ args, options });
  return {
    host: values.host ?? '127.0.0.1',
    mqttPort: portOf(values['mqtt-port'] ?? '1883'),
    modbusPort: portOf(values['modbus-port'] ?? '1502'),
    images: values.images,
    serialPath: values['serial-path'] ?? join(tmpdir(), 'fieldgate-uno'),
    rtuPath: values['rtu-path'] ?? join(tmpdir(), 'fieldgate-rs485'),
    gpsPath: values['gps-path'] ?? join(tmpdir(), 'fieldgate-gps'),
    boardPath: values['board-path'] ?? join(tmpdir(), 'fieldgate-board'),
    forMs: values.for === undefined ? undefined : durationMs(values.for),
    faults: values.faults ?? false,
  };
}

function portOf(text: string): number {
  if (!/^\d{1,5}$/.test(text) || Number(text) > 65_535) throw new Error(`${text} is no port; ${usage}`);
  return Number(text);
}

function durationMs(text: string): number {
  const match = /^(\d{1,6})(ms|s|m)$/.exec(text);
  if (!match) throw new Error(`${text} is no duration such as 60s; ${usage}`);
  return Number(match[1]) * (match[2] === 'ms' ? 1 : match[2] === 's' ? 1_000 : 60_000);
}

function refused(what: string, port: number) {
  return (error: NodeJS.ErrnoException): never => {
    if (error.code === 'EADDRINUSE') throw new Error(`${what} port ${port} is taken; say another one, ${usage}`);
    throw error;
  };
}

main().catch((error: unknown) => {
  console.error(error instanceof Error ? error.message : String(error));
  process.exit(1);
});
