/** What a control is bound to, once the variables of the dashboard have their values. */
import { getDataSourceSrv } from '@grafana/runtime';
import type { ControlOptions } from '../options/options.ts';
import type { AccessAnswer, DeviceAnswer, ParameterAnswer, PointAnswer, Standing } from '../source/answers.ts';
import { texts } from './texts.ts';

export interface Binding {
  source: string;
  device: string;
  name: string;
  target: 'point' | 'command';
}

export const dataSourceType = 'fieldgate-iot-datasource';

/** The binding, or why there is none. `own` is the uid of the panel's own data source. */
export function bindingOf(control: ControlOptions, replace: (text: string) => string, own: string | undefined): Binding | string {
  const [device, name, source] = [control.device, control.name, control.source].map((text) => replace(text.trim()));
  if (!control.device.trim()) return texts.noDevice;
  if (!control.name.trim()) return texts.noName(device);
  for (const text of [device, name, source]) {
    const fault = faultOfText(text ?? '');
    if (fault) return fault;
  }
  const uid = sourceOf(source || own);
  if (uid === undefined) return source ? texts.noSuchSource(source) : texts.noSource;
  return { source: uid, device: device ?? '', name: name ?? '', target: control.target };
}

/** What a variable leaves behind that cannot be bound to one thing. */
function faultOfText(text: string): string | undefined {
  const unknown = /\$\{?\w+(?::\w+)?\}?|\[\[\w+\]\]/.exec(text);
  if (unknown) return texts.noVariable(unknown[0]);
  if (/^\{.*,.*\}$/.test(text) || text.includes('{') || text.includes('|')) return texts.severalValues(text);
  return undefined;
}

/** The uid of the data source of that name or uid, or of the one there is. */
export function sourceOf(wanted: string | undefined): string | undefined {
  const service = getDataSourceSrv();
  const found = wanted ? service.getInstanceSettings(wanted) : undefined;
  if (found) return found.type === dataSourceType ? found.uid : undefined;
  if (wanted) return undefined;
  const listed = service.getList({ pluginId: dataSourceType, filter: ({ type }) => type === dataSourceType });
  return (listed.find(({ isDefault }) => isDefault) ?? listed[0])?.uid;
}

export interface Found {
  title: string;
  point?: PointAnswer;
  /** The settings want it to be confirmed. */
  confirmed: boolean;
  /** Of a command. */
  parameters: ParameterAnswer[];
}

/** The point or command of the device's answer; undefined if it has none of this name. */
export function find(device: DeviceAnswer, { target, name }: Pick<Binding, 'target' | 'name'>): Found | undefined {
  if (target === 'point') {
    const point = device.points.find(({ id }) => id === name);
    return point && { title: point.title, point, confirmed: point.write?.confirm ?? false, parameters: [] };
  }
  const command = device.commands.find(({ id }) => id === name);
  return command && { title: command.title, confirmed: command.confirm, parameters: command.parameters };
}

export function standingOf(access: AccessAnswer | undefined, { device, name, target }: Binding): Standing | undefined {
  return access?.targets?.find((one) => one.device === device && one[target] === name);
}
