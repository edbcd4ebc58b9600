/**
 * QueryDataResponse as bytes, each frame copied once. The generated encoder writes nested messages into a growing buffer and moves every frame
 * several times on the way: 13-24 ms of CPU for the 17 MB of a million samples, where this takes 1-7. Field numbers are those of proto/backend.proto.
 */
import { BinaryWriter } from '@bufbuild/protobuf/wire';
import { DataResponse, type QueryDataResponse } from './generated/backend.ts';

const lengthDelimited = 2;
/** `responses` of QueryDataResponse, `key` and `value` of its map entries, `frames` of DataResponse. */
const tags = { responses: tag(1), key: tag(1), value: tag(2), frames: tag(1) };

export function encodeQueryData({ responses }: QueryDataResponse): Buffer {
  const parts: Uint8Array[] = [];
  for (const [refId, response] of responses) {
    const value = responseParts(response);
    const entry = [new BinaryWriter().uint32(tags.key).string(refId).finish(), head(tags.value, size(value)), ...value];
    parts.push(head(tags.responses, size(entry)), ...entry);
  }
  return Buffer.concat(parts);
}

/** The order of fields on the wire is free, so the frames can follow the rest. */
function responseParts({ frames, ...rest }: DataResponse): Uint8Array[] {
  return [
    DataResponse.encode({ ...rest, frames: [] }).finish(),
    ...frames.flatMap((frame) => [head(tags.frames, frame.byteLength), frame]),
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
