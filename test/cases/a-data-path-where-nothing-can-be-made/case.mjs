/** data_path under /proc: Node's recursive mkdir went round for ever, so health never answered and the process did not end. */
import { expect } from 'vitest';
import { executablePath } from '../../../console/launch.ts';
import { ask, hostEnv, launch, protocol } from '../../wire/plugin.ts';

export async function run(root) {
  const plugin = await launch([executablePath(`${root}/dist/fieldgate-iot-datasource`)], {
    ...hostEnv,
    GF_PLUGIN_DATA_PATH: '/proc/nowhere/data',
  });
  const jsonData = Buffer.from('{"version":1}');
  const user = { login: 'anna', name: 'Anna', email: '', role: 'Admin' };
  const pluginContext = { orgId: 1, user, dataSourceInstanceSettings: { id: 1, uid: 'u', name: 'n', jsonData, lastUpdatedMS: 1 } };
  const health = plugin.client(protocol.pluginv2.Diagnostics);
  await expect
    .poll(() => ask(health, 'CheckHealth', { pluginContext }))
    .toMatchObject({ status: 'ERROR', message: expect.stringContaining("mkdir '/proc/nowhere'") });
  plugin.process.kill('SIGTERM');
  expect(await plugin.exited).toMatchObject({ code: 0 });
}
