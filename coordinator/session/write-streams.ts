/**
 * What a coordinator sends to the executor of a session for changes of many values: texts of one statement, or rows of
 * Arrow. Only an `end` makes it count: a stream whose sender goes away, or fails, has none.
 */

import { QueryError } from '../../proto/errors.ts'
import type { RawFlightData } from '../../proto/flight-data.ts'
import { IngestBegin_IfMissing as IfMissing, IngestBegin_IfThere as IfThere } from '../../proto/gen/session_pb.js'
import type { IngestInit, RepeatInit } from './session-channel.ts'

/** What is done where the table is not there, and where it is. */
export interface IngestMode {
  readonly ifMissing: 'create' | 'fail'
  readonly ifThere: 'append' | 'replace' | 'fail'
}

/** A table of the session's own: in memory, or temporary (`temp.main`). */
export interface IngestTarget {
  readonly catalog: string
  readonly schema: string
  readonly table: string
}

type BeginOf<Init extends { message?: unknown }> =
  Extract<NonNullable<Init['message']>, { readonly case: 'begin' }> extends { readonly value: infer Begin }
    ? Begin : never

const ifMissing = { create: IfMissing.CREATE, fail: IfMissing.FAIL } as const
const ifThere = { append: IfThere.APPEND, replace: IfThere.REPLACE, fail: IfThere.FAIL } as const

/** The same on the wire. */
export function ifSo(mode: IngestMode): Pick<BeginOf<IngestInit>, 'ifMissing' | 'ifThere'> {
  return { ifMissing: ifMissing[mode.ifMissing], ifThere: ifThere[mode.ifThere] }
}

/** Texts of one message of a repetition; a longer one has a message to itself. */
const MAX_TEXTS_CHARACTERS = 1024 * 1024

export async function* repeatRequests(
  begin: BeginOf<RepeatInit>, texts: Iterable<string>,
): AsyncGenerator<RepeatInit> {
  yield { message: { case: 'begin', value: begin } }
  for (const sql of gathered(texts)) yield { message: { case: 'texts', value: { sql } } }
  yield { message: { case: 'end', value: {} } }
}

export async function* ingestRequests(
  begin: BeginOf<IngestInit>, messages: AsyncIterable<RawFlightData>, signal: AbortSignal,
): AsyncGenerator<IngestInit> {
  yield { message: { case: 'begin', value: begin } }
  for await (const { dataHeader, dataBody } of messages) {
    yield { message: { case: 'frame', value: { dataHeader, dataBody } } }
  }
  // a client that goes away may look like one that is done
  if (signal.aborted) throw new QueryError('CANCELLED', 'the client went away')
  yield { message: { case: 'end', value: {} } }
}

function* gathered(texts: Iterable<string>): Generator<string[]> {
  let list: string[] = []
  let length = 0
  for (const text of texts) {
    if (length > 0 && length + text.length > MAX_TEXTS_CHARACTERS) {
      yield list
      list = []
      length = 0
    }
    list.push(text)
    length += text.length
  }
  if (list.length > 0) yield list
}
