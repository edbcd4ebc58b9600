/** What a probe or a scan is asked for: with which settings, which secrets, on the connection that runs or beside it. */
import { isDeepStrictEqual } from 'node:util';
import * as z from 'zod';
import type { Driver } from '../../contract/driver.ts';
import { exactJson } from '../../contract/exact-json.ts';
import { notFound } from '../../contract/fault.ts';
import type { PlannedConnection } from '../../gateway/plan.ts';
import { noSurvey, type SurveyKind } from '../../gateway/survey.ts';
import type { SurveyOrder } from '../../gateway/surveys.ts';
import type { Reader } from '../reading.ts';
import { check } from '../settings/words.ts';
import type { Ask } from './ask.ts';
import { badBody } from './body.ts';

export const surveyBodySchema = z.strictObject({
  options: z.record(z.string(), z.unknown()).default({}).describe('As GET drivers says of the protocol, under survey'),
  connection: z
    .looseObject({ kind: z.string() })
    .optional()
    .describe('Settings to try, as in the settings of the data source; the stored ones unless said'),
  secrets: z
    .record(z.string(), z.string())
    .default({})
    .describe('By their names: password. Stored ones are used only where the stored settings lead to'),
});

export interface ReadOrder {
  order: SurveyOrder;
  /** Which secrets take part. */
  secrets: 'stored' | 'given' | 'none';
  /** What the one who asks should know of it. */
  detail?: string;
}

/** Throws a `Fault`: 400 for what is not understood, 404 where there is no such connection or its protocol has no such thing. */
export async function readOrder(kind: SurveyKind, { instance, params, body }: Ask, reader: Reader): Promise<ReadOrder> {
  const { connection: id = '' } = params;
  const read = check(surveyBodySchema, body);
  if (!read.ok) throw badBody(read.problems);
  const { connection: raw, secrets } = read.value;
  const stored = instance.gateway.plan.connections.find(({ connection }) => connection.id === id);
  if (!raw && !stored) {
    throw notFound(`there is no connection ${id} that runs; to try other settings, send them in "connection"`, 'connection');
  }
  const tried = raw ? await readConnection(id, raw, secrets, reader) : (stored as PlannedConnection);
  const { driver } = tried;
  if (!driver.survey?.[kind]) throw noSurvey(kind, `${driver.title} (${driver.kind})`);
  const options = check(driver.survey[kind], read.value.options);
  if (!options.ok) throw badBody(options.problems.map(({ path, message }) => ({ path: ['options', ...path], message })));
  demandKnown(secrets, driver);
  const isSame = stored !== undefined && stored.driver === driver && isDeepStrictEqual(stored.connection.options, tried.connection.options);
  const given = Object.keys(secrets).length > 0;
  const mayUse = stored !== undefined && (isSame || leadsTheSameWay(stored, tried));
  const kept = mayUse ? stored.secrets : {};
  const planned: PlannedConnection = {
    ...(isSame ? stored : tried),
    secrets: { ...kept, ...Object.fromEntries(Object.entries(secrets).filter(([, value]) => value !== '')) },
  };
  const order = { kind, planned, isRunning: isSame && !given, options: options.value };
  const usesKept = Object.keys(kept).some((name) => !secrets[name]);
  const withheld = !mayUse && stored !== undefined && Object.keys(stored.secrets).some((name) => !secrets[name]);
  return {
    order,
    secrets: given ? 'given' : usesKept ? 'stored' : 'none',
    ...(withheld ? { detail: 'the stored secrets are not used, because these settings may lead elsewhere; give them in "secrets"' } : {}),
  };
}

/** The settings as they would be read if they stood in the data source's. */
async function readConnection(
  id: string,
  raw: Record<string, unknown>,
  secrets: Readonly<Record<string, string>>,
  reader: Reader,
): Promise<PlannedConnection> {
  const document = { version: 1, connections: [{ ...raw, id }] };
  const secureJsonData = Object.fromEntries(Object.entries(secrets).map(([name, value]) => [`${id}.${name}`, value]));
  const { plan } = await reader.read({ jsonData: Buffer.from(exactJson(document)), secureJsonData });
  const [planned] = plan.connections;
  if (planned) return planned;
  const errors = plan.faults.filter(({ severity }) => severity === 'error');
  throw badBody(errors.map(({ place, message }) => ({ path: ['connection', ...partsOf(place)], message })));
}

/** `connections[0].topics[2].name` → `topics`, 2, `name`. */
function partsOf(place: string): (string | number)[] {
  const [, , ...parts] = place.split(/[.[\]]+/).filter((part) => part !== '');
  return parts.map((part) => (/^\d+$/.test(part) ? Number(part) : part));
}

function demandKnown(secrets: Readonly<Record<string, string>>, { secrets: known, kind }: Driver): void {
  const stray = Object.keys(secrets).find((name) => !known.includes(name));
  if (stray === undefined) return;
  const allowed = known.length === 0 ? `${kind} has no secrets` : `allowed is ${known.join(', ')}`;
  throw badBody([{ path: ['secrets', stray], message: `is not known; ${allowed}` }]);
}

/**
 * Whether a stored secret may go with these settings: the same endpoint, and nothing else differs but numbers (times, sizes). A text may be another
 * address and a switch may be the check of a certificate.
 */
function leadsTheSameWay(stored: PlannedConnection, tried: PlannedConnection): boolean {
  if (stored.driver !== tried.driver) return false;
  const [one, other] = [stored.connection.options, tried.connection.options];
  return stored.driver.endpoint(one) === tried.driver.endpoint(other) && isDeepStrictEqual(withoutNumbers(one), withoutNumbers(other));
}

function withoutNumbers(options: unknown): unknown {
  return JSON.parse(
    JSON.stringify(options, (_name, value: unknown) => (typeof value === 'number' || typeof value === 'bigint' ? 0 : value)),
  );
}
