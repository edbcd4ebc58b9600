import { type ActionConfig, actionSchema, type Device, deviceSchema, type Point } from '../../contract/device.ts';
import type { Driver } from '../../contract/driver.ts';
import { limits } from '../../contract/limits.ts';
import type { ReadConnection } from './connections.ts';
import type { Faults } from './faults.ts';
import { didYouMean } from './near.ts';
import { claimId, fieldOf, knownAre } from './outer.ts';
import { show } from './phrases.ts';
import { checkVerifyPoints, type KnownPoints, ownLabels, type RawPoint, readPoint } from './points.ts';
import { merge, type ReadProfile } from './profiles.ts';
import { checkTemplateTexts, readDeviceId } from './templates.ts';
import { check } from './words.ts';

/** A device with the places its points are written at, so that a driver's findings can be told there. */
export interface ReadDevice {
  element: string;
  device: Device;
  points: { raw: RawPoint; point: Point }[];
}

export interface Surroundings {
  connections: ReadonlyMap<string, ReadConnection>;
  profiles: ReadonlyMap<string, ReadProfile>;
  faults: Faults;
}

/** The devices that are in order, with those of their points that are. */
export function readDevices(list: readonly unknown[], around: Surroundings): ReadDevice[] {
  const claimed = new Map<string, string>();
  const known: KnownPoints = new Map();
  return list.flatMap((raw, index) => {
    const element = `devices[${index}]`;
    const id = fieldOf(raw, 'id');
    const device = readDevice(raw, element, around, known);
    return claimId(claimed, id, element, around.faults) && device ? [device] : [];
  });
}

function readDevice(raw: unknown, element: string, around: Surroundings, known: KnownPoints): ReadDevice | undefined {
  const { faults } = around;
  const base = faults.check(deviceSchema, raw, element);
  const labels = ownLabels(base?.labels ?? {}, element, faults);
  const link = connectionOf(fieldOf(raw, 'connection'), element, around);
  const driver = link?.driver;
  const profile = profileOf(fieldOf(raw, 'profile'), driver, element, around);
  const placeholders = readDeviceId(fieldOf(raw, 'id'), element, driver, faults);
  if (!driver) return undefined;
  if (base?.availability?.topic !== undefined && !driver.availability)
    faults.warn(
      element,
      '.availability.topic',
      `has no effect, because devices behind ${driver.title} do not say by themselves whether they are there`,
    );

  // Even if the device cannot run, whoever writes it wants to hear of all its faults at once.
  const address = faults.check(driver.device, fieldOf(raw, 'address'), element, '.address');
  const words = { id: base?.id ?? '', intervalMs: base?.interval ?? limits.pollIntervalDefaultMs, labels };
  const rawPoints = merge(profile, raw, element, 'points', faults);
  if (placeholders) checkTemplateTexts(placeholders, { raw, element }, rawPoints, faults);
  const points = rawPoints.flatMap((one) => {
    const point = readPoint(one, words, driver, faults, known);
    return point ? [{ raw: one, point }] : [];
  });
  checkVerifyPoints(points, faults);
  const actions = merge(profile, raw, element, 'commands', faults).flatMap((one) => readAction(one, driver, faults) ?? []);
  if (!base || faults.broken(element)) return undefined;
  const device: Device = {
    id: base.id,
    title: base.title ?? base.id,
    connection: base.connection,
    address,
    labels: base.labels,
    points: [],
    actions,
    ...(base.availability ? { availability: base.availability } : {}),
    ...(placeholders ? { placeholders } : {}),
  };
  return { element, device, points };
}

function connectionOf(name: unknown, element: string, { connections, faults }: Surroundings): ReadConnection | undefined {
  if (typeof name !== 'string') return undefined;
  const link = connections.get(name);
  const ids = [...connections.keys()];
  if (!link)
    faults.add(element, '.connection', `is ${show(name)}, and there is no such connection${didYouMean(name, ids) || `; ${knownAre(ids)}`}`);
  else if (!link.connection)
    faults.add(element, '.connection', `is ${show(name)}, which has a fault of its own, so this device does not run`);
  return link;
}

function profileOf(name: unknown, driver: Driver | undefined, element: string, around: Surroundings): ReadProfile | undefined {
  if (typeof name !== 'string') return undefined;
  const { profiles, faults } = around;
  const profile = profiles.get(name);
  const ids = [...profiles.keys()];
  if (!profile)
    faults.add(element, '.profile', `is ${show(name)}, and there is no such profile${didYouMean(name, ids) || `; ${knownAre(ids)}`}`);
  // One sentence instead of one for every address in it.
  if (profile?.kind !== undefined && driver && profile.kind !== driver.kind) {
    faults.add(element, '.profile', `is ${show(name)}, which is for ${profile.kind}; this device is behind ${driver.kind}`);
    return undefined;
  }
  return profile;
}

function readAction(one: RawPoint, driver: Driver, faults: Faults): ActionConfig | undefined {
  if (!driver.action) {
    faults.add(one.elementOf(undefined), '', `cannot be here: a device behind ${driver.title} has no named commands`);
    return undefined;
  }
  const base = faults.take(check(actionSchema, one.raw), one.elementOf);
  if (!base) return undefined;
  const { id, title, confirm, cooldown, rate, interlock, role, ...own } = base;
  const rest = faults.take(check(driver.action, own), one.elementOf);
  if (rest === undefined || one.elements.some((element) => faults.broken(element))) return undefined;
  return {
    ...(rest as Record<string, unknown>),
    id,
    confirm,
    ...(title === undefined ? {} : { title }),
    ...(cooldown === undefined ? {} : { cooldown }),
    ...(rate === undefined ? {} : { rate }),
    ...(interlock === undefined ? {} : { interlock }),
    ...(role === undefined ? {} : { role }),
  };
}
