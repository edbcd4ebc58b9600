/**
 * QueryDataResponse as bytes, with no frame copied on its way: the pieces it was made of are the pieces of the message (`send.ts`). Joining frames,
 * and the generated encoder's growing buffer, would move the 16 MB of a million samples five times.
 * Field numbers are those of proto/backend.proto.
 */
import { BinaryWriter } from '@bufbuild/protobuf/wire';
import { DataResponse } from './generated/backend.ts';

/** One answer. Of `fields` everything but the frames is sent; a frame is the pieces of an Arrow file. */
export interface LargeResponse {
  fields: DataResponse;
  frames: readonly (readonly Uint8Array[])[];
  /** Called when the frames are written. */
  done?: (() => void) | undefined;
}

const lengthDelimited = 2;
/** `responses` of QueryDataResponse, `key` and `value` of its map entries, `frames` of DataResponse. */
const tags = { responses: tag(1), key: tag(1), value: tag(2), frames: tag(1) };

/** Bytes whose concatenation is the message. */
export function partsOf(responses: ReadonlyMap<string, LargeResponse>): Uint8Array[] {
  const parts: Uint8Array[] = [];
  for (const [refId, response] of responses) {
    const value = responseParts(response);
    const entry = [new BinaryWriter().uint32(tags.key).string(refId).finish(), head(tags.value, size(value)), ...value];
    parts.push(head(tags.responses, size(entry)), ...entry);
  }
  return parts;
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

export function size(parts: readonly Uint8Array[]): number {
  return parts.reduce((sum, part) => sum + part.byteLength, 0);
}
