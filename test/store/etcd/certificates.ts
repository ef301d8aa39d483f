/** A certificate authority of the tests with certificates for servers and clients, made by openssl. */
import { execFile } from 'node:child_process';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';

const run = promisify(execFile);

export interface Certificates {
  readonly ca: string;
  readonly serverCert: string;
  readonly serverKey: string;
  readonly clientCert: string;
  readonly clientKey: string;
  /** Of an authority that nobody trusts. */
  readonly strangerCert: string;
  readonly strangerKey: string;
  readonly strangerCa: string;
  /** What a client of node:https takes. */
  read(): Promise<{ ca: Buffer; cert: Buffer; key: Buffer }>;
}

/** @param addresses what the server's certificate is good for */
export async function makeCertificates(directory: string, addresses: readonly string[]): Promise<Certificates> {
  const at = (name: string): string => join(directory, name);
  await makeAuthority(directory, 'ca');
  await makeAuthority(directory, 'stranger-ca');
  const names = addresses.map((address) => `IP:${address}`).join(',');
  await sign(directory, 'ca', 'server', `subjectAltName=${names}\nextendedKeyUsage=serverAuth,clientAuth\n`);
  await sign(directory, 'ca', 'client', 'extendedKeyUsage=clientAuth\n');
  await sign(directory, 'stranger-ca', 'stranger', 'extendedKeyUsage=clientAuth\n');
  return {
    ca: at('ca.crt'),
    serverCert: at('server.crt'),
    serverKey: at('server.key'),
    clientCert: at('client.crt'),
    clientKey: at('client.key'),
    strangerCert: at('stranger.crt'),
    strangerKey: at('stranger.key'),
    strangerCa: at('stranger-ca.crt'),
    read: async () => ({
      ca: await readFile(at('ca.crt')),
      cert: await readFile(at('client.crt')),
      key: await readFile(at('client.key')),
    }),
  };
}

const newKey = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes'] as const;

async function makeAuthority(cwd: string, name: string): Promise<void> {
  const files = ['-keyout', `${name}.key`, '-out', `${name}.crt`];
  await run('openssl', ['req', '-x509', ...newKey, ...files, '-days', '2', '-subj', `/CN=${name}`], { cwd });
}

async function sign(cwd: string, authority: string, name: string, extensions: string): Promise<void> {
  await run('openssl', ['req', ...newKey, '-keyout', `${name}.key`, '-out', `${name}.csr`, '-subj', `/CN=${name}`], {
    cwd,
  });
  await writeFile(join(cwd, `${name}.ext`), extensions);
  const signer = ['-CA', `${authority}.crt`, '-CAkey', `${authority}.key`, '-CAcreateserial', '-days', '2'];
  const files = ['-in', `${name}.csr`, '-out', `${name}.crt`, '-extfile', `${name}.ext`];
  await run('openssl', ['x509', '-req', ...signer, ...files], { cwd });
}
