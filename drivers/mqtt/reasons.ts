/** What went wrong, in words a person at the plant can act on. */
import { ReasonCodes } from 'mqtt';
import { Fault, messageOf } from '../../src/contract/fault.ts';
import { brokerAddress } from './options.ts';

/** Reason codes from here on are failures (MQTT 5 §2.4); 3.1.1 knows only 1-5 in CONNACK and 128 in SUBACK. */
export const failureFrom = 128;

/** The name of a reason code, with what may be done about it. */
export function reasonText(code: number): string {
  const name = (ReasonCodes as Record<number, string>)[code] || `reason code ${code}`;
  const hint = hints[code];
  return hint ? `${name} (${hint})` : name;
}

const credentials = 'check "username" and the secret "password"';
const hints: Record<number, string> = {
  1: 'set "protocolVersion" to 4 for MQTT 3.1.1, or to 5',
  132: 'set "protocolVersion" to 4 for MQTT 3.1.1, or to 5',
  2: 'check "clientId"',
  133: 'check "clientId"',
  4: credentials,
  134: credentials,
  5: `${credentials}, and the rights of this user at the broker`,
  135: "check this user's rights at the broker",
  142: 'another client uses the same "clientId"',
};

/** What a broker itself says beside a code: its own words, so bounded and without control characters. */
export function brokerWords(text: unknown): string {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what is taken out.
  return typeof text === 'string' && text !== '' ? `: ${text.replaceAll(/[\u0000-\u001f\u007f-\u009f]/g, ' ').slice(0, 200)}` : '';
}

const systemErrors: Record<string, string> = {
  ECONNREFUSED: 'nobody listens there (connection refused)',
  ENOTFOUND: 'the host name is unknown',
  EAI_AGAIN: 'the host name could not be looked up (no answer from DNS)',
  ETIMEDOUT: 'no answer (timed out)',
  EHOSTUNREACH: 'the host cannot be reached',
  ENETUNREACH: 'the network cannot be reached',
  ECONNRESET: 'the connection was reset',
  EPIPE: 'the connection was reset',
  EPROTO: 'the other end does not speak TLS; is it the right port?',
  ERR_SSL_WRONG_VERSION_NUMBER: 'the other end does not speak TLS; is it the right port?',
  ERR_TLS_CERT_ALTNAME_INVALID: 'the certificate is for another host name (set "tls": { "serverName": … } if that is right)',
  CERT_HAS_EXPIRED: 'the certificate has expired',
  CERT_NOT_YET_VALID: 'the certificate is not valid yet; is the clock right?',
  DEPTH_ZERO_SELF_SIGNED_CERT: 'the certificate is self-signed; put it, or its CA, into the secret "ca"',
  SELF_SIGNED_CERT_IN_CHAIN: 'the certificate is signed by an unknown CA; put the CA into the secret "ca"',
  UNABLE_TO_VERIFY_LEAF_SIGNATURE: 'the certificate is signed by an unknown CA; put the CA into the secret "ca"',
  UNABLE_TO_GET_ISSUER_CERT_LOCALLY: 'the certificate is signed by an unknown CA; put the CA into the secret "ca"',
};

/** An error of the client or its socket, in words. */
export function errorWords(error: unknown): string {
  const code = error instanceof Error && 'code' in error ? error.code : undefined;
  // Other errors with a reason code are what mqtt.js finds wrong with the broker, in good words.
  if (typeof code === 'number' && messageOf(error).startsWith('Connection refused')) return `refused by the broker: ${reasonText(code)}`;
  if (typeof code === 'string' && systemErrors[code]) return systemErrors[code];
  if (typeof code === 'string' && code.startsWith('ERR_SSL'))
    return `TLS failed: ${code.slice('ERR_SSL_'.length).toLowerCase().replaceAll('_', ' ')}`;
  const message = messageOf(error);
  if (message === 'connack timeout') return 'connected, and the other end did not answer as an MQTT broker';
  if (message === 'Keepalive timeout') return 'no answer to a keep-alive; the link is dead';
  return message;
}

/** Why opening failed. */
export function openFault(url: string, error: unknown): Fault {
  const { secure, text } = brokerAddress(url);
  const reset = error instanceof Error && 'code' in error && (error.code === 'ECONNRESET' || error.code === 'EPIPE');
  const words = reset ? `the other end hung up; is it an MQTT broker ${secure ? 'with' : 'without'} TLS?` : errorWords(error);
  return new Fault(`${text}: ${words}`, {
    type: 'connection-failed',
    blame: 'device',
    status: 503,
    cause: error,
  });
}
