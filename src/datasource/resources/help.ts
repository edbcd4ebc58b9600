import { roleAtLeast } from '../../contract/caller.ts';
import type { ActionConfig, Device, Point } from '../../contract/device.ts';
import { limits } from '../../contract/limits.ts';
import { queryJsonSchema } from '../../contract/query.ts';
import { leastAnywhere, mayCommand, strangerOf } from '../access.ts';
import type { Instance } from '../instance.ts';
import type { Ask, Handler } from './ask.ts';
import { Html, html } from './html.ts';

/**
 * `GET help`: a page with the devices of the data source and what can be copied for each: its address, its query, its command. Shown to Viewers, so it
 * names no host and no topic; it has no script, and what devices and people wrote is text in it.
 */
export const helpPage: Handler = (ask) => ({
  type: 'text/html; charset=utf-8',
  // Grafana adds `sandbox` (facts/grafana.md §2.5); without Grafana in front the page has to be as harmless.
  headers: { 'content-security-policy': "default-src 'none'; style-src 'unsafe-inline'; sandbox", 'referrer-policy': 'no-referrer' },
  text: page(ask).text,
});

interface Guide {
  /** Where resources are, behind `$GRAFANA`. */
  base: string;
  uid: string;
  editor: boolean;
  /** Connections an Admin may scan; none for others. */
  scannable: readonly string[];
  command: boolean;
}

function page(ask: Ask): Html {
  const { instance, user } = ask;
  const uid = instance.uid;
  const guide: Guide = {
    base: `/api/datasources/uid/${encodeURIComponent(uid).replaceAll(/[!'()*]/g, (one) => `%${one.charCodeAt(0).toString(16)}`)}/resources`,
    uid,
    editor: roleAtLeast(user.role, 'Editor'),
    scannable: roleAtLeast(user.role, 'Admin') && !strangerOf(user) ? scannable(instance) : [],
    command: mayCommand(ask.caller, leastAnywhere(instance.gateway.plan.settings.rights)).allowed,
  };
  const devices = devicesOf(instance);
  const shown = devices.slice(0, limits.helpDevicesMax);
  return html`<!doctype html>
<html lang="en">
<head><meta charset="utf-8"><meta name="viewport" content="width=device-width"><title>Fieldgate: your devices</title>${style}</head>
<body>
<h1>Your devices</h1>
<p>${devices.length} ${devices.length === 1 ? 'device' : 'devices'} behind this data source. What stands in grey can be copied. For the shell, set
<code>GRAFANA</code> to Grafana's address and <code>TOKEN</code> to a token of a service account.</p>
${shown.map((device) => deviceSection(device, guide))}
${devices.length > shown.length ? html`<p>${devices.length - shown.length} more are not shown here; <code>GET devices</code> lists all.</p>` : ''}
${everything(guide)}
</body>
</html>
`;
}

function devicesOf({ gateway }: Instance): Device[] {
  return gateway.devices().flatMap(({ id }) => gateway.device(id) ?? []);
}

function deviceSection(device: Device, guide: Guide): Html {
  const points = device.points.slice(0, limits.helpPointsMax);
  const first = points.find(({ access }) => access !== 'write');
  const labels = Object.entries(device.labels).map(([name, value]) => html`<span class="label">${name}=<bdi>${value}</bdi></span> `);
  return html`<section id="${device.id}">
<h2><bdi>${device.title}</bdi> <code>${device.id}</code></h2>
<p>${labels}</p>
<table><thead><tr><th>point</th><th>title</th><th>unit</th><th>access</th></tr></thead><tbody>
${points.map((point) => html`<tr><td><code>${point.id}</code></td><td><bdi>${point.title ?? ''}</bdi></td><td>${point.unit ?? ''}</td><td>${point.access}</td></tr>\n`)}
</tbody></table>
${device.points.length > points.length ? html`<p>and ${device.points.length - points.length} more points</p>` : ''}
${first ? reading(first, guide) : ''}
${guide.command ? commanding(device, guide) : ''}
</section>
`;
}

function reading(point: Point, guide: Guide): Html {
  const query = JSON.stringify({ queryType: 'telemetry', devices: [point.device], points: [point.id] });
  return html`<p>A query for a panel, and the last value for a script:</p>
<pre>${query}</pre>
<pre>${curl(guide, `devices/${point.device}/points/${point.id}`, ["-H 'Accept: text/plain'"])}</pre>
`;
}

function commanding({ id, points, actions }: Device, guide: Guide): Html {
  const settable = points.find(({ access }) => access !== 'read');
  const blocks = [
    ...(settable ? [post(guide, `devices/${id}/points/${settable.id}`, { value: exampleValue(settable) })] : []),
    ...actions.slice(0, limits.helpPointsMax).map((action: ActionConfig) => post(guide, `devices/${id}/commands/${action.id}`, {})),
  ];
  return blocks.length === 0 ? html`` : html`<p>Commands (they act on the device):</p>${blocks.map((text) => html`<pre>${text}</pre>`)}`;
}

/** A value that the point takes: the lowest that a command may set, or a state by its name. */
function exampleValue({ enum: states, write, min }: Point): number | string {
  return Object.values(states ?? {})[0] ?? write?.min ?? min ?? 0;
}

function everything(guide: Guide): Html {
  return html`<h2>More</h2>
${language()}
<p>What history there is, as a table:</p>
<pre>${JSON.stringify({ queryType: 'series' })}</pre>
<p>All resources are described in <a href="openapi.json">openapi.json</a>, the settings in <a href="schema">schema</a>.</p>
${
  guide.editor
    ? html`<p>The last day of everything as a file, and what happens as it happens:</p>
<pre>${curl(guide, 'export?from=now-1d&to=now&format=csv', ['-o history.csv'])}</pre>
<pre>${curl(guide, 'events', ['-N'])}</pre>
<p>Queries for Explore: what goes over the wire, how busy each bus is, and the poll plan:</p>
${['messages', 'bus', 'explain'].map((queryType) => html`<pre>${JSON.stringify({ queryType })}</pre>`)}`
    : ''
}${scanning(guide)}`;
}

/** Connections whose protocol can look who and what is there. */
function scannable({ gateway }: Instance): string[] {
  return gateway.plan.connections.filter(({ driver }) => driver.survey?.scan).map(({ connection }) => connection.id);
}

function scanning(guide: Guide): Html {
  if (guide.scannable.length === 0) return html``;
  return html`<p>Who and what is behind a connection; GET drivers says which options there are:</p>
${guide.scannable.slice(0, limits.helpPointsMax).map((id) => html`<pre>${post(guide, `connections/${id}/scan`, {}, ['-N'])}</pre>`)}`;
}

/** The fields of a query with their meaning, from the schema that checks them. */
function language(): Html {
  const fields = Object.entries(queryJsonSchema().properties ?? {}).flatMap(([name, field]) =>
    typeof field === 'object' ? [{ name, words: (field.enum ?? []).map(String), meaning: field.description ?? '' }] : [],
  );
  return html`<h3>What a query can ask</h3>
<table><thead><tr><th>field</th><th>allowed</th><th>meaning</th></tr></thead><tbody>
${fields.map(({ name, words, meaning }) => html`<tr><td><code>${name}</code></td><td>${words.join(', ')}</td><td>${meaning}</td></tr>\n`)}
</tbody></table>`;
}

function curl({ base }: Guide, path: string, options: readonly string[] = []): string {
  return ['curl', ...options, `-H "Authorization: Bearer $TOKEN"`, `"$GRAFANA${base}/${path}"`].join(' ');
}

function post(guide: Guide, path: string, body: unknown, options: readonly string[] = []): string {
  // A quote inside single quotes of the shell is written as '\''.
  const data = JSON.stringify(body).replaceAll("'", `'\\''`);
  return curl(guide, path, [...options, '-X POST', "-H 'Content-Type: application/json'", `-d '${data}'`]);
}

const style = new Html(`<style>
body { font: 15px/1.5 system-ui, sans-serif; max-width: 60rem; margin: 2rem auto; padding: 0 1rem; color: #1b1f24; background: #fff }
h2 { margin-top: 2.5rem; border-top: 1px solid #d0d7de; padding-top: 1rem }
code, pre { font-family: ui-monospace, monospace; background: #eef1f4; border-radius: 4px; padding: 0 .3em }
pre { padding: .6em; overflow-x: auto; white-space: pre-wrap; word-break: break-all; user-select: all }
table { border-collapse: collapse } th, td { text-align: left; padding: .15em 1em .15em 0; border-bottom: 1px solid #e4e8ec }
.label { color: #57606a; margin-right: 1em }
@media (prefers-color-scheme: dark) { body { color: #e6e8ea; background: #16191d } code, pre { background: #262b31 } .label { color: #9aa4ae } }
</style>`);
