/** The bill of materials of a built plugin, as CycloneDX 1.6: what the bundlers took in, the native binding, and Node with its own parts. */
import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { Contrib, Enums, Models, Serialize, SPDX, Spec } from '@cyclonedx/cyclonedx-library';
import { licenseOf } from './notices.mjs';
import { hostPlatform, nodeBinary } from './platforms.mjs';

const licenses = new Contrib.License.Factories.LicenseFactory(checkExpression);
const spec = Spec.Spec1dot6;

/**
 * JSON text. `parts`: for each of `backend`, `frontend` and `native` the packages in it, as contents() notes them.
 * `files` are the archives it speaks of: `{ name, sha256 }`. `node`: whether Node is in the product.
 */
export function sbom(root, { name, version, date, parts, files }, { node = true } = {}) {
  const bom = new Models.Bom();
  const product = component(Enums.ComponentType.Application, name, version, 'Apache-2.0');
  for (const file of files) {
    const found = new Models.Component(Enums.ComponentType.File, file.name, { bomRef: file.name });
    found.hashes.set(Enums.HashAlgorithm['SHA-256'], file.sha256);
    product.components.add(found);
  }
  bom.metadata.component = product;
  bom.metadata.timestamp = date;
  // The order of what npm lists is not ours to rely on; the same content has the same number.
  bom.serialNumber = `urn:uuid:${uuidOf(JSON.stringify([name, version, files]))}`;

  const byFolder = new Map();
  for (const [part, packages] of Object.entries(parts)) {
    for (const entry of packages) {
      const made = byFolder.get(entry.folder) ?? packageComponent(root, entry);
      byFolder.set(entry.folder, made);
      made.properties.add(new Models.Property('fieldgate:part', part));
      product.dependencies.add(made.bomRef);
    }
  }
  for (const [folder, made] of byFolder) for (const needed of needs(root, folder, byFolder)) made.dependencies.add(needed.bomRef);
  for (const made of [...byFolder.values(), ...(node ? [nodeComponent(root)] : [])]) bom.components.add(made);
  for (const made of bom.components) if (made.name === 'node') product.dependencies.add(made.bomRef);
  const serializer = new Serialize.JsonSerializer(new Serialize.JSON.Normalize.Factory(spec));
  return `${serializer.serialize(bom, { sortLists: true, space: 2 })}\n`;
}

function component(type, fullName, version, license, purl = undefined) {
  const [name, group] = fullName.split('/').reverse();
  const made = new Models.Component(type, name, { group, version, purl, bomRef: `${fullName}@${version}` });
  made.licenses.add(licenses.makeFromString(license));
  return made;
}

/** A package's own checksum is the one npm verified when it installed it: that of its archive. */
function packageComponent(root, entry) {
  const purl = `pkg:npm/${entry.name.replace('@', '%40')}@${entry.version}`;
  const made = component(Enums.ComponentType.Library, entry.name, entry.version, licenseOf(root, entry), purl);
  if (entry.folder.split('node_modules/').length > 2) made.bomRef.value = entry.folder;
  const integrity = JSON.parse(readFileSync(join(root, 'package-lock.json'), 'utf8')).packages[entry.folder]?.integrity;
  const [algorithm, base64] = integrity?.split('-') ?? [];
  if (algorithm === 'sha512') made.hashes.set(Enums.HashAlgorithm['SHA-512'], Buffer.from(base64, 'base64').toString('hex'));
  return made;
}

/** Node says itself what it is made of. */
function nodeComponent(root) {
  const versions = JSON.parse(
    execFileSync(nodeBinary(root, hostPlatform()), ['-p', 'JSON.stringify(process.versions)'], { encoding: 'utf8' }),
  );
  const { node, modules: _abi, napi: _napi, ...inside } = versions;
  const made = component(Enums.ComponentType.Platform, 'node', node, 'MIT', `pkg:generic/node@${node}`);
  for (const [name, version] of Object.entries(inside))
    made.components.add(new Models.Component(Enums.ComponentType.Library, name, { version, bomRef: `node/${name}@${version}` }));
  return made;
}

/** The packages of the product that this one asks for, found as Node finds them: in its own node_modules, then in those above. */
function* needs(root, folder, byFolder) {
  const { dependencies = {} } = JSON.parse(readFileSync(join(root, folder, 'package.json'), 'utf8'));
  for (const name of Object.keys(dependencies)) {
    for (let above = folder; above !== '.'; above = dirname(above)) {
      const place = `${above}/node_modules/${name}`.replace(/node_modules\/node_modules/, 'node_modules');
      if (!existsSync(join(root, place))) continue;
      const found = byFolder.get(place);
      if (found !== undefined) yield found;
      break;
    }
  }
}

/** The words of `(MIT OR Apache-2.0)` must be identifiers; throws if one is not. */
function checkExpression(text) {
  const words = text.split(/[\s()]+/).filter((word) => word !== '' && !['AND', 'OR', 'WITH'].includes(word));
  if (words.length < 2 || !words.every((word) => SPDX.isSupportedSpdxId(word))) throw new Error(`${text} is no SPDX expression`);
}

/** A UUID of version 8 (RFC 9562 §5.8), whose bits are ours to choose: here a hash. */
function uuidOf(text) {
  const hex = createHash('sha256').update(text).digest('hex');
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-8${hex.slice(13, 16)}-a${hex.slice(17, 20)}-${hex.slice(20, 32)}`;
}
