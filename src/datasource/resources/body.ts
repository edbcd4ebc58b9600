import { badRequest } from '../../contract/fault.ts';
import { limits } from '../../contract/limits.ts';
import { parseJson } from '../settings/json.ts';
import { type Problem, placeOf } from '../settings/words.ts';

/** The JSON of a POST. A form or plain text is refused: those a foreign web page can send without asking the browser first (CSRF). */
export function readBody(contentTypes: readonly string[], bytes: Uint8Array): unknown {
  const [contentType = ''] = contentTypes;
  if (contentTypes.length !== 1 || !/^application\/json\s*(;\s*charset\s*=\s*"?utf-8"?\s*)?$/i.test(contentType)) {
    throw badRequest('the body has to be JSON with Content-Type: application/json', 'Content-Type', 'unsupported-media-type', 415);
  }
  if (bytes.length > limits.bodyBytesMax) {
    throw badRequest(`the body is ${bytes.length} bytes; allowed are ${limits.bodyBytesMax}`, undefined, 'body-too-large', 413);
  }
  // Values of commands keep all their digits.
  const parsed = parseJson(bytes, () => true);
  if (!parsed.ok) throw badRequest(`the body ${parsed.message}`, undefined, 'bad-json');
  return parsed.value;
}

/** The bytes of a POST whose route takes other types than JSON; one of them has to be named, without compression. */
export function checkBytes(takes: readonly string[], headers: ReadonlyMap<string, readonly string[]>, bytes: Uint8Array): void {
  const types = headers.get('content-type') ?? [];
  if (types.length !== 1 || !takes.includes(mediaTypeOf(types[0])))
    throw badRequest(`the Content-Type has to be one of ${takes.join(', ')}`, 'Content-Type', 'unsupported-media-type', 415);
  const encoding = headers.get('content-encoding')?.join(', ');
  if (encoding !== undefined && encoding !== 'identity')
    throw badRequest(
      `the body is sent with Content-Encoding ${encoding}; allowed is none`,
      'Content-Encoding',
      'unsupported-media-type',
      415,
    );
  if (bytes.length > limits.importBytesMax) {
    throw badRequest(
      `the body is ${bytes.length} bytes; allowed are ${limits.importBytesMax}: send it in several requests, each with its head line`,
      undefined,
      'body-too-large',
      413,
    );
  }
}

/** Of a Content-Type, without its parameters. */
export function mediaTypeOf(contentType = ''): string {
  return contentType.split(';')[0]?.trim().toLowerCase() ?? '';
}

/** 400 for a body of the wrong form; the first fault is the sentence, all of them are in `faults`. */
export function badBody(problems: readonly Problem[]) {
  const faults = problems.slice(0, limits.configFaultsMax).map(({ path, message }) => ({ place: placeOf(path), message }));
  const first = faults[0] ?? { place: '', message: 'is not understood' };
  const fault = badRequest(`${first.place || 'the body'} ${first.message}`, first.place, 'bad-body');
  fault.extra.faults = faults;
  return fault;
}
