import { readFileSync } from 'node:fs';
import { rootCertificates } from 'node:tls';
import { VmError } from '../errors.ts';

/** Where Debian, Fedora, Alpine and macOS keep the certificates their administrators trust. */
const SYSTEM_BUNDLES = ['/etc/ssl/certs/ca-certificates.crt', '/etc/pki/tls/certs/ca-bundle.crt', '/etc/ssl/cert.pem'];

/**
 * What is trusted: Node.js's own certificates, and those of this system or of `SSL_CERT_FILE`.
 * @throws VmError if that file cannot be read.
 */
export function trustedCertificates(sslCertFile: string | undefined): string[] {
  if (sslCertFile) {
    try {
      return [...rootCertificates, readFileSync(sslCertFile, 'utf8')];
    } catch (cause) {
      throw new VmError(`cannot read the certificates in ${sslCertFile}`, {
        hint: 'SSL_CERT_FILE names that file',
        cause,
      });
    }
  }
  for (const bundle of SYSTEM_BUNDLES) {
    try {
      return [...rootCertificates, readFileSync(bundle, 'utf8')];
    } catch {
      // Another system's place.
    }
  }
  return [...rootCertificates];
}
