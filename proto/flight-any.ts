/**
 * Messages packed in google.protobuf.Any, as Flight SQL puts its commands into descriptors, tickets and actions. What
 * counts of a type URL is the part after the last slash.
 */

import {
  create, fromBinary, toBinary, type DescMessage, type MessageInitShape, type MessageShape,
} from '@bufbuild/protobuf'
import { AnySchema } from '@bufbuild/protobuf/wkt'
import { QueryError } from './errors.ts'

const PREFIX = 'arrow.flight.protocol.'

export function pack<Schema extends DescMessage>(schema: Schema, value: MessageInitShape<Schema>): Uint8Array {
  const any = create(AnySchema, { typeUrl: `type.googleapis.com/${schema.typeName}`, value: encode(schema, value) })
  return toBinary(AnySchema, any)
}

/** Bare, as some results are. */
export function encode<Schema extends DescMessage>(schema: Schema, value: MessageInitShape<Schema>): Uint8Array {
  return toBinary(schema, create(schema, value))
}

/** The packed message, if it is one of `schemas`; undefined if it is another. */
export function unpack<Schema extends DescMessage>(
  bytes: Uint8Array, schemas: readonly Schema[],
): MessageShape<Schema> | undefined {
  const any = parseAny(bytes)
  const name = nameOf(any.typeUrl)
  const schema = schemas.find(({ typeName }) => typeName === name)
  return schema === undefined ? undefined : decode(schema, any.value)
}

/** The same of bytes that may be no command at all. */
export function tryUnpack<Schema extends DescMessage>(
  bytes: Uint8Array, schemas: readonly Schema[],
): MessageShape<Schema> | undefined {
  return tryAny(bytes) === undefined ? undefined : unpack(bytes, schemas)
}

/** The name of the packed message's type, for messages to people. */
export function packedName(bytes: Uint8Array): string {
  const name = nameOf(parseAny(bytes).typeUrl)
  return name.slice(name.lastIndexOf('.') + 1)
}

/** The body of an action: clients send it packed or bare. */
export function readBody<Schema extends DescMessage>(schema: Schema, body: Uint8Array): MessageShape<Schema> {
  const packed = tryAny(body)
  return decode(schema, packed === undefined ? body : packed)
}

/** The packed bytes if this is a packed message of Flight's. */
function tryAny(body: Uint8Array): Uint8Array | undefined {
  try {
    const { typeUrl, value } = fromBinary(AnySchema, body)
    return nameOf(typeUrl).startsWith(PREFIX) ? value : undefined
  } catch {
    return undefined // a bare message that cannot be read as an Any
  }
}

function parseAny(bytes: Uint8Array): { typeUrl: string; value: Uint8Array } {
  try {
    return fromBinary(AnySchema, bytes)
  } catch (cause) {
    throw new QueryError('INVALID_REQUEST', 'not a Flight SQL command', { cause })
  }
}

export function decode<Schema extends DescMessage>(schema: Schema, bytes: Uint8Array): MessageShape<Schema> {
  try {
    return fromBinary(schema, bytes)
  } catch (cause) {
    throw new QueryError('INVALID_REQUEST', `not a ${schema.name}`, { cause })
  }
}

function nameOf(typeUrl: string): string {
  return typeUrl.slice(typeUrl.lastIndexOf('/') + 1)
}
