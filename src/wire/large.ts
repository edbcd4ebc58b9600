/**
 * QueryDataResponse as bytes, with each byte of a frame copied once on its way: from the typed arrays it was made of into the message that
 * grpc-js sends. Joining frames, and the generated encoder's growing buffer, would move the 16 MB of a million samples four times more.
 * Field numbers are those of proto/backend.proto.
 */
import { BinaryWriter } from '@bufbuild/protobuf/wire';
import { DataResponse } from './generated/backend.ts';

/** One answer. Of `fields` everything but the frames is sent; a frame is the pieces of an Arrow file. */
export interface LargeResponse {
  fields: DataResponse;
  frames: readonly (readonly Uint8Array[])[];
}

const lengthDelimited = 2;
/** `responses` of QueryDataResponse, `key` and `value` of its map entries, `frames` of DataResponse. */
const tags = { responses: tag(1), key: tag(1), value: tag(2), frames: tag(1) };

/** Not really a Buffer but what grpc-js uses of one: `byteLength`, and `copy` into the message (server-interceptors.js, `serializeMessage`). */
export function encodeQueryData(responses: ReadonlyMap<string, LargeResponse>): Buffer {
  const parts: Uint8Array[] = [];
  for (const [refId, response] of responses) {
    const value = responseParts(response);
    const entry = [new BinaryWriter().uint32(tags.key).string(refId).finish(), head(tags.value, size(value)), ...value];
    parts.push(head(tags.responses, size(entry)), ...entry);
  }
  return new Pieces(parts) as Pick<Buffer, 'byteLength' | 'copy'> as Buffer;
}

/** Bytes that are not joined yet. */
class Pieces {
  readonly byteLength: number;
  readonly #parts: readonly Uint8Array[];

  constructor(parts: readonly Uint8Array[]) {
    this.#parts = parts;
    this.byteLength = size(parts);
  }

  copy(target: Uint8Array, at = 0): number {
    let end = at;
    for (const part of this.#parts) {
      target.set(part, end);
      end += part.byteLength;
    }
    return end - at;
  }
}

/** The order of fields on the wire is free, so the frames can follow the rest. */
function responseParts({ fields, frames }: LargeResponse): Uint8Array[] {
  return [
    DataResponse.encode({ ...fields, frames: [] }).finish(),
    ...frames.flatMap((frame) => [head(tags.frames, size(frame)), ...frame]),
  ];
}

function tag(field: number): number {
  return (field << 3) | lengthDelimited;
}

/** Tag and length of what follows. */
function head(fieldTag: number, length: number): Uint8Array {
  return new BinaryWriter().uint32(fieldTag).uint32(length).finish();
}

function size(parts: readonly Uint8Array[]): number {
  return parts.reduce((sum, part) => sum + part.byteLength, 0);
}
