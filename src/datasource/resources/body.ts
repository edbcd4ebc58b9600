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

/** 400 for a body of the wrong form; the first fault is the sentence, all of them are in `faults`. */
export function badBody(problems: readonly Problem[]) {
  const faults = problems.slice(0, limits.configFaultsMax).map(({ path, message }) => ({ place: placeOf(path), message }));
  const first = faults[0] ?? { place: '', message: 'is not understood' };
  const fault = badRequest(`${first.place || 'the body'} ${first.message}`, first.place, 'bad-body');
  fault.extra.faults = faults;
  return fault;
}
