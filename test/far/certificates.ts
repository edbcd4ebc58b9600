/** A CA, and certificates it signed, made by openssl and good for a day. */
import { execFile } from 'node:child_process';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';

const run = promisify(execFile);
const key = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes'];

export interface Signed {
  cert: string;
  key: string;
}

/** PEM texts: the CA's own certificate and one for each name. */
export async function makeCertificates<N extends string>(...names: N[]): Promise<{ ca: string; of: Record<N, Signed> }> {
  const folder = await mkdtemp(join(tmpdir(), 'fieldgate-ca-'));
  const at = (name: string) => join(folder, name);
  const text = (name: string) => readFile(at(name), 'utf8');
  try {
    await run('openssl', ['req', '-x509', ...key, '-days', '1', '-subj', '/CN=test CA', '-keyout', at('ca.key'), '-out', at('ca.pem')]);
    const of = {} as Record<N, Signed>;
    for (const name of names) {
      const asked = ['-subj', `/CN=${name}`, '-addext', `subjectAltName=DNS:${name}`, '-keyout', at(`${name}.key`), '-out', at('csr')];
      await run('openssl', ['req', ...key, ...asked]);
      const signed = ['-CA', at('ca.pem'), '-CAkey', at('ca.key'), '-CAcreateserial', '-days', '1', '-copy_extensions', 'copy'];
      await run('openssl', ['x509', '-req', '-in', at('csr'), ...signed, '-out', at(`${name}.pem`)]);
      of[name] = { cert: await text(`${name}.pem`), key: await text(`${name}.key`) };
    }
    return { ca: await text('ca.pem'), of };
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}
