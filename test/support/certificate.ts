import { execFile } from 'node:child_process';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';

const runProgram = promisify(execFile);

/** A certificate for localhost and 127.0.0.1 that only itself vouches for; disposing it removes its folder. */
export async function makeCertificate() {
  const dir = await mkdtemp(join(tmpdir(), 'vm-certificate-'));
  const keyPath = join(dir, 'key.pem');
  const certPath = join(dir, 'cert.pem');
  const subject = ['-subj', '/CN=localhost', '-addext', 'subjectAltName=DNS:localhost,IP:127.0.0.1'];
  const kind = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes', '-days', '2'];
  await runProgram('openssl', ['req', '-x509', ...kind, ...subject, '-keyout', keyPath, '-out', certPath]);
  return {
    dir,
    certPath,
    tls: { key: await readFile(keyPath, 'utf8'), cert: await readFile(certPath, 'utf8') },
    [Symbol.asyncDispose]: () => rm(dir, { recursive: true }),
  };
}
