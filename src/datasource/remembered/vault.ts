/**
 * Keeps secrets unreadable where settings are remembered: AES-256-GCM, with a key from `state_key` of the plugin's section, else from a random key
 * file beside the data. The file protects copies of the database, not of the folder; that is why health recommends `state_key`.
 */
import { createCipheriv, createDecipheriv, hkdf, randomBytes, scrypt } from 'node:crypto';
import { chmod, open, readFile, rename, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';

const derivePassword = promisify<string, Buffer, number, object, Buffer>(scrypt);
const deriveKey = promisify<string, Buffer, Buffer, string, number, ArrayBuffer>(hkdf);

/** Interactive strength of RFC 7914 §2, doubled: 32 MiB and about 80 ms, once a process. */
const scryptCost = { N: 32_768, r: 8, p: 1, maxmem: 64 * 1024 * 1024 };
const keyFileName = 'fieldgate.key';
const keyFileBytes = 32;
const version = 'fg1';

/** `state`: from `state_key`; `file`: from the key file. */
export type KeySource = 'state' | 'file';

export type Unsealed = { text: string; source: KeySource } | { why: string };

export interface Vault {
  /** Whose key seals. */
  readonly source: KeySource;
  /** `about` is bound to the text: it has to be the same when it is opened. */
  seal(text: string, about: string): Promise<string>;
  /** Never throws: `why` says in words what stands against it, without any key or secret. */
  unseal(sealed: string, about: string): Promise<Unsealed>;
  /** Removes the key file, when nothing is sealed with it any more; true if there was one. */
  dropKeyFile(): Promise<boolean>;
}

/** `folder` must be this process's own (its lock held) before anything is sealed: the key file is made then if there is none. */
export function createVault({ stateKey, folder }: { stateKey: string | undefined; folder: string }): Vault {
  const source: KeySource = stateKey === undefined ? 'file' : 'state';
  const path = join(folder, keyFileName);
  const keys = new Map<string, Promise<Buffer>>();
  /** One salt for all, so that a start derives one key. Taken from what was found, else a new one. */
  let salt: Buffer | undefined;

  /** Throws what the file system says. */
  function keyOf(from: KeySource, withSalt: Buffer): Promise<Buffer> {
    const name = `${from} ${withSalt.toString('hex')}`;
    const known = keys.get(name);
    if (known !== undefined) return known;
    const key = from === 'state' ? derivePassword(stateKey ?? '', withSalt, 32, scryptCost) : keyOfFile(withSalt);
    keys.set(name, key);
    // A file that could not be read now may be there the next time.
    key.catch(() => keys.delete(name));
    return key;
  }

  async function keyOfFile(withSalt: Buffer): Promise<Buffer> {
    const file = await readFile(path);
    if (file.length < keyFileBytes) throw new Error(`${path} has ${file.length} bytes, a key file has ${keyFileBytes}`);
    return Buffer.from(await deriveKey('sha256', file, withSalt, version, 32));
  }

  return {
    source,

    async seal(text, about) {
      if (source === 'file') await ensureKeyFile(path);
      salt ??= randomBytes(16);
      const nonce = randomBytes(12);
      const cipher = createCipheriv('aes-256-gcm', await keyOf(source, salt), nonce).setAAD(Buffer.from(about));
      const body = Buffer.concat([cipher.update(text, 'utf8'), cipher.final(), cipher.getAuthTag()]);
      return [version, source, ...[salt, nonce, body].map((part) => part.toString('base64url'))].join('.');
    },

    async unseal(sealed, about) {
      const [form, from, ...rest] = sealed.split('.');
      const [saltOf, nonce, body] = rest.map((part) => Buffer.from(part, 'base64url'));
      if (form !== version || (from !== 'state' && from !== 'file') || !saltOf || nonce?.length !== 12 || !body || body.length < 16)
        return { why: 'they were written by another version' };
      if (from === 'state' && stateKey === undefined) return { why: 'state_key is not set any more' };
      try {
        const tagAt = body.length - 16;
        const decipher = createDecipheriv('aes-256-gcm', await keyOf(from, saltOf), nonce)
          .setAAD(Buffer.from(about))
          .setAuthTag(body.subarray(tagAt));
        const text = Buffer.concat([decipher.update(body.subarray(0, tagAt)), decipher.final()]).toString('utf8');
        if (from === source) salt ??= saltOf;
        return { text, source: from };
      } catch {
        return { why: from === 'state' ? 'state_key is not the one they were encrypted with' : 'the key file is missing or another one' };
      }
    },

    dropKeyFile: () =>
      rm(path).then(
        () => true,
        () => false,
      ),
  };
}

/** Makes the key file if there is none that holds a key, readable for this user alone; whole or not at all, whenever the process dies. */
async function ensureKeyFile(path: string): Promise<void> {
  const found = await stat(path).catch(() => undefined);
  if (found && found.size >= keyFileBytes) {
    // A copy that was put back may have lost its mode.
    if ((found.mode & 0o077) !== 0 && process.platform !== 'win32') await chmod(path, 0o600);
    return;
  }
  const fresh = `${path}.new`;
  await rm(fresh, { force: true });
  const file = await open(fresh, 'wx', 0o600);
  try {
    await file.writeFile(randomBytes(keyFileBytes));
    await file.sync();
  } finally {
    await file.close();
  }
  await rename(fresh, path);
}
