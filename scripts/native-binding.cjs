/**
 * What stands for node-gyp-build inside the executable: serialport's native code lies beside it, under the name build-bindings.mjs gives
 * it. There is no node_modules to look into.
 */
const { createRequire } = require('node:module');
const { dirname, join } = require('node:path');

const systems = { linux: 'linux', darwin: 'darwin', win32: 'windows' };
const architectures = { x64: 'amd64', arm64: 'arm64' };

module.exports = () => {
  const name = `serialport_${systems[process.platform]}_${architectures[process.arch]}.node`;
  return createRequire(process.execPath)(join(dirname(process.execPath), name));
};
