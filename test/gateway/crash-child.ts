/** A gateway in a process of its own, to be killed while a command is under way: `node crash-child.ts <folder> <port>`. */
import { systemClock } from '../../src/contract/clock.ts';
import { setBodySchema } from '../../src/contract/command.ts';
import { silentLog } from '../../src/contract/log.ts';
import { createBuses } from '../../src/gateway/bus.ts';
import { createGateway } from '../../src/gateway/create.ts';
import { TrafficPool } from '../../src/gateway/traffic.ts';
import { openStore } from '../../src/store/open.ts';
import { crashPlan } from './crash-plan.ts';
import { lineDriver } from './line-driver.ts';

const [folder = '', port = ''] = process.argv.slice(2);
const clock = systemClock;
const store = openStore({ folder, clock, log: silentLog });
const buses = createBuses({ clock });
const gateway = createGateway({ key: '1/test', store, buses, trafficPool: new TrafficPool(), clock, random: Math.random, log: silentLog });
const user = { login: 'ada', name: 'Ada', email: '', role: 'Editor' } as const;
await gateway.apply(crashPlan(lineDriver(), Number(port)));
while (gateway.last({ device: 'u1', point: 'level' }) === undefined) await clock.sleep(5);
// One is on the wire, one waits behind it; none has an answer when the process dies.
for (const [value, key] of [
  [7, 'sent'],
  [8, 'waits'],
] as const)
  void gateway.set({ device: 'u1', point: 'level' }, setBodySchema.parse({ value, expires: '10m', wait: '30s' }), user, key);
while ((await store.commands('1/test', { limit: 10 })).length < 2) await clock.sleep(5);
process.stdout.write('recorded\n');
