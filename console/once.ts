/** `--once`: one screen, and an exit code that says whether every connection delivered and the demo command was verified. */
import { setTimeout as sleep } from 'node:timers/promises';
import type { Grafana } from './grafana.ts';
import type { Model } from './model.ts';
import { carryOut } from './orders.ts';
import { draw, plain } from './screen.ts';
import { look } from './session.ts';

/** Every connection has delivered within this, or the run fails. */
const deliveryTimeoutMs = 20_000;
const demoOrder = { kind: 'set', device: 'boiler', point: 'setpoint', value: 55, reason: 'npm start -- --once' } as const;

/** With `faults` some connections are down for good, so only what is good must deliver. */
export async function once(grafana: Grafana, startedInMs: number, demo: boolean, faults = false): Promise<number> {
  const deadline = Date.now() + deliveryTimeoutMs;
  let model = await look(grafana, startedInMs, []);
  const lacking = () => (faults ? [] : missing(model));
  // What the settings do not have does not come by waiting.
  while (model.connections.length > 0 && lacking().length > 0 && Date.now() < deadline) {
    await sleep(250);
    model = await look(grafana, startedInMs, []);
  }
  const outcome = demo ? await carryOut(grafana, demoOrder) : undefined;
  // A few seconds more, so that the picture has a trend to show, or every fault its effect.
  if (demo) await sleep(faults ? 12_000 : 3_000);
  model = await look(grafana, startedInMs, [`Handshake ${Math.round(startedInMs)} ms after exec.`, ...(outcome?.lines ?? [])]);
  console.log(draw(model, { width: process.stdout.columns || 110, height: 200 }, plain).join('\n'));
  const failures = [
    ...(model.connections.length === 0 ? ['the settings have no connection that runs'] : []),
    ...lacking().map((id) => `connection ${id} delivered nothing`),
    ...(outcome && !outcome.ok ? ['the demo command was not verified'] : []),
  ];
  for (const failure of failures) console.error(failure);
  return failures.length > 0 ? 1 : 0;
}

/** Connections that are not up, or none of whose devices is online. */
function missing(model: Model): string[] {
  return model.connections
    .filter(({ id, state }) => state !== 'up' || !model.devices.some((device) => device.connection === id && device.state === 'online'))
    .map(({ id }) => id);
}
