/**
 * `npm run sim`: devices on your desk. An MQTT broker with a living house and a Modbus TCP boiler; `simulators/gateway.json` describes them.
 * When both listen it prints one line of JSON: `{"mqttPort":1883,"modbusPort":1502}`.
 */
import { parseArgs } from 'node:util';
import { startPlant } from './modbus-plant.ts';
import { startBroker } from './mqtt-broker.ts';
import { startHouse } from './mqtt-house.ts';

const usage = 'allowed are --mqtt-port N, --modbus-port N (0 takes a free one), --host ADDRESS and --for 60s';

async function main(): Promise<void> {
  const { host, mqttPort, modbusPort, forMs } = readArguments(process.argv.slice(2));
  const broker = await startBroker({ host, port: mqttPort }).catch(refused('MQTT', mqttPort));
  const plant = await startPlant({ host, port: modbusPort }).catch(refused('Modbus', modbusPort));
  const house = startHouse({ broker });
  console.log(JSON.stringify({ mqttPort: broker.port, modbusPort: plant.port }));

  await new Promise<void>((resolve) => {
    const timer = forMs === undefined ? undefined : setTimeout(resolve, forMs);
    for (const signal of ['SIGINT', 'SIGTERM'] as const) {
      process.once(signal, () => {
        clearTimeout(timer);
        resolve();
      });
    }
  });
  house.stop();
  await Promise.all([broker.close(), plant.close()]);
}

function readArguments(args: string[]): { host: string; mqttPort: number; modbusPort: number; forMs: number | undefined } {
  const options = {
    'mqtt-port': { type: 'string' },
    'modbus-port': { type: 'string' },
    host: { type: 'string' },
    for: { type: 'string' },
  } as const;
  const { values } = parseArgs({ args, options });
  return {
    host: values.host ?? '127.0.0.1',
    mqttPort: portOf(values['mqtt-port'] ?? '1883'),
    modbusPort: portOf(values['modbus-port'] ?? '1502'),
    forMs: values.for === undefined ? undefined : durationMs(values.for),
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
