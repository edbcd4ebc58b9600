/** Grafana's working directory was gone, as after an upgrade of its package: the workers of the history did not start, even in memory. */
import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'vitest';
import { executablePath } from '../../../console/launch.ts';
import { ask, launch, protocol } from '../../wire/plugin.ts';

export async function run(root) {
  const folder = mkdtempSync(join(tmpdir(), 'fieldgate-gone-'));
  const executable = executablePath(`${root}/dist/fieldgate-iot-datasource`);
  const plugin = await launch(['/bin/sh', '-c', `cd ${folder} && rmdir ${folder} && exec ${executable}`]);
  const jsonData = Buffer.from('{"version":1}');
  const pluginContext = { orgId: 1, dataSourceInstanceSettings: { id: 1, uid: 'u', name: 'n', jsonData, lastUpdatedMS: 1 } };
  const timeRange = { fromEpochMS: 0, toEpochMS: 1 };
  const queries = [{ refId: 'A', timeRange, json: Buffer.from('{"queryType":"series"}') }];
  const { responses } = await ask(plugin.client(protocol.pluginv2.Data), 'QueryData', { pluginContext, queries });
  expect(responses.A).toMatchObject({ status: 200 });
}
