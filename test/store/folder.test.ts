import { chmodSync, mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { dataFolder } from '../../src/store/folder.ts';
import { temporaryFolder } from './fixtures.ts';

function installed(...parts: string[]): { root: string; executable: string } {
  const root = temporaryFolder();
  const plugin = join(root, ...parts);
  mkdirSync(plugin, { recursive: true });
  return { root, executable: join(plugin, 'gpx_fieldgate_linux_amd64') };
}

describe('the data folder', () => {
  it('is where data_path says', () => {
    const { root, executable } = installed('plugins', 'fieldgate-iot-datasource');
    expect(dataFolder({ GF_PLUGIN_DATA_PATH: join(root, 'data') }, executable)).toMatchObject({ folder: join(root, 'data') });
  });

  it.each(['plugins/fieldgate-iot-datasource', 'plugins/fieldgate-iot-datasource/dist'])('is beside the plugins otherwise (%s)', (path) => {
    const { root, executable } = installed(...path.split('/'));
    expect(dataFolder({}, executable)).toMatchObject({ folder: join(root, 'fieldgate') });
    expect(dataFolder({ GF_PLUGIN_DATA_PATH: '  ' }, executable)).toMatchObject({ folder: join(root, 'fieldgate') });
  });

  it('is nowhere when the plugin is not among plugins', () => {
    const { executable } = installed('dist', 'fieldgate-iot-datasource');
    const { folder, reason } = dataFolder({}, executable);
    expect(folder).toBeUndefined();
    expect(reason).toMatch(/not called "plugins"/);
  });

  it('is nowhere when the place beside the plugins cannot be written', () => {
    // A root of tests may write everywhere, except where nothing is.
    expect(dataFolder({}, '/nowhere-at-all/plugins/fieldgate-iot-datasource/gpx')).toEqual({
      reason: expect.stringMatching(/\/nowhere-at-all is not writable/),
    });
    const { root, executable } = installed('plugins', 'fieldgate-iot-datasource');
    if (process.getuid?.() !== 0) {
      chmodSync(root, 0o500);
      expect(dataFolder({}, executable).folder).toBeUndefined();
      chmodSync(root, 0o700);
    }
  });

  it.each(['', 'data', 'a/b'])("is never the plugin's own (%s)", (inside) => {
    const { root, executable } = installed('plugins', 'fieldgate-iot-datasource', 'dist');
    const own = join(root, 'plugins', 'fieldgate-iot-datasource');
    const { folder, reason } = dataFolder({ GF_PLUGIN_DATA_PATH: join(own, inside) }, executable);
    expect(folder).toBeUndefined();
    expect(reason).toContain("inside the plugin's own folder");
    expect(dataFolder({ GF_PLUGIN_DATA_PATH: `${own}-data` }, executable).folder).toBe(`${own}-data`);
  });
});
