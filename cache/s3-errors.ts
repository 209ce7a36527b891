/**
 * What a store of the S3 protocol, or the way to it, says when it refuses: as our errors, in words that name the bucket
 * and what to do. Pure. Nothing of the store's own error is kept but its name and its message: it may hold what was
 * signed, and with which key.
 */

import { QueryError } from '../proto/errors.ts'
import { Again } from './retry.ts'

/** What messages call things. */
export interface S3Place {
  /** The bucket's name in the configuration. */
  readonly name: string
  /** Its name at the store. */
  readonly bucket: string
  readonly host: string
  readonly region: string
}

/** The parts of an error of the SDK that are read; all of them may be missing. */
interface Refusal {
  readonly name: string
  readonly message: string
  /** Of the operating system or of TLS. */
  readonly system: string | undefined
  readonly status: number | undefined
  /** The bucket's region, as the answer says. */
  readonly region: string | undefined
}

/** Wrapped in Again if another attempt may do better. `key`: what was asked for; absent: the bucket itself. */
export function s3Error(thrown: unknown, place: S3Place, key?: string): QueryError | Again {
  if (thrown instanceof QueryError || thrown instanceof Again) return thrown
  const refusal = refusalOf(thrown)
  const cause = new Error(`${refusal.name}: ${refusal.message}`)
  const { code, text, again } = meaning(refusal, place, key)
  const error = new QueryError(code, text, { cause })
  return again === 0 ? error : new Again(error, again)
}

interface Meaning {
  readonly code: QueryError['code']
  readonly text: string
  /** How many attempts it is worth; 0: it is final at once. */
  readonly again: number
}

/** A wrong address does not mend itself; a store that starts anew does. */
const ATTEMPTS_TO_CONNECT = 4
/** The SDK has set its clock by the store's when it tries again. */
const ATTEMPTS_WHEN_SKEWED = 2

function meaning(refusal: Refusal, place: S3Place, key: string | undefined): Meaning {
  const bucket = `bucket ${place.name}`
  const what = key === undefined ? bucket : `'${key}' in ${bucket}`
  const never = (code: QueryError['code'], text: string): Meaning => ({ code, text, again: 0 })
  const denied = (text: string): Meaning => never('PERMISSION_DENIED', `${bucket}: ${text}`)
  if (refusal.region !== undefined && refusal.region !== place.region && isElsewhere(refusal)) {
    return never('INVALID_CONFIG',
      `${bucket}: '${place.bucket}' is in region ${refusal.region}, not ${place.region}: set its region`)
  }
  switch (refusal.name) {
    case 'NoSuchBucket': return never('FILE_NOT_FOUND', noBucket(place))
    case 'InvalidAccessKeyId': return denied(`${place.host} does not know the access key`)
    case 'SignatureDoesNotMatch': return denied('the secret access key is not the one of the access key')
    case 'ExpiredToken': case 'TokenRefreshRequired': return denied('the session token has expired')
    case 'InvalidToken': return denied('the session token is not valid')
    case 'CredentialsProviderError':
      return denied('no credentials: neither in the configuration, nor in the environment, nor of this machine')
    case 'RequestTimeTooSkewed': return {
      code: 'PERMISSION_DENIED', again: ATTEMPTS_WHEN_SKEWED,
      text: `${bucket}: the clock of this machine and that of ${place.host} differ by more than 15 minutes`,
    }
    case 'AuthorizationHeaderMalformed': case 'PermanentRedirect':
      return never('INVALID_CONFIG', `${bucket}: '${place.bucket}' is not in region ${place.region}: set its region`)
    default: return byStatus(refusal, what, place, key === undefined)
  }
}

function byStatus(refusal: Refusal, what: string, place: S3Place, ofBucket: boolean): Meaning {
  const { status, name } = refusal
  switch (status) {
    case 403: return { code: 'PERMISSION_DENIED', text: `${what}: access is denied (${name})`, again: 0 }
    case 404: return { code: 'FILE_NOT_FOUND', text: ofBucket ? noBucket(place) : `no file ${what}`, again: 0 }
    case 412: case 416: return { code: 'FILE_CHANGED', text: changedText(what), again: 0 }
    case undefined: return connection(refusal, place)
    default: {
      const passes = status >= 500 || status === 408 || status === 409 || status === 429 || status < 300
      const text = `${what}: ${place.host} answered ${status} ${name}`
      return { code: 'UNAVAILABLE', text, again: passes ? Infinity : 0 }
    }
  }
}

function noBucket({ name, host, bucket }: S3Place): string {
  return `bucket ${name}: ${host} has no bucket '${bucket}'`
}

export function changedText(what: string): string {
  return `${what} has changed since the query was planned`
}

function connection({ system, name, message }: Refusal, place: S3Place): Meaning {
  const { host } = place
  const unavailable = (text: string, again = Infinity): Meaning =>
    ({ code: 'UNAVAILABLE', text: `bucket ${place.name}: ${text}`, again })
  switch (system) {
    case 'ENOTFOUND': case 'EAI_AGAIN': return unavailable(`no host ${host} is known (DNS)`, ATTEMPTS_TO_CONNECT)
    case 'ECONNREFUSED': return unavailable(`${host} refuses the connection`, ATTEMPTS_TO_CONNECT)
    case 'ECONNRESET': case 'EPIPE': return unavailable(`${host} closed the connection`)
    case 'ETIMEDOUT': return unavailable(`${host} does not answer`)
    case 'EHOSTUNREACH': case 'ENETUNREACH': return unavailable(`there is no way to ${host}`, ATTEMPTS_TO_CONNECT)
    case undefined: return unavailable(
      name === 'TimeoutError' ? `${host} does not answer` : `${host}: ${name}: ${message}`)
    default: return unavailable(`${host}: ${system}`, ATTEMPTS_TO_CONNECT)
  }
}

function isElsewhere({ name, status }: Refusal): boolean {
  return status === 301 || name === 'AuthorizationHeaderMalformed' || name === 'PermanentRedirect'
}

function refusalOf(thrown: unknown): Refusal {
  if (!(thrown instanceof Error)) {
    return { name: 'Error', message: String(thrown), system: undefined, status: undefined, region: undefined }
  }
  const answer = field(field(thrown, '$response'), 'headers')
  return {
    name: thrown.name, message: thrown.message, system: textOf(field(thrown, 'code')),
    status: numberOf(field(field(thrown, '$metadata'), 'httpStatusCode')),
    region: textOf(field(thrown, 'Region')) ?? textOf(field(answer, 'x-amz-bucket-region')),
  }
}

function field(value: unknown, name: string): unknown {
  return typeof value === 'object' && value !== null && name in value
    ? (value as Readonly<Record<string, unknown>>)[name] // `in` has just said that it is there
    : undefined
}

function textOf(value: unknown): string | undefined {
  return typeof value === 'string' && value !== '' ? value : undefined
}

function numberOf(value: unknown): number | undefined {
  return typeof value === 'number' ? value : undefined
}
