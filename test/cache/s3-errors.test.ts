/** What stores say when they refuse, in our words. */

import t from 'tap'
import { Again } from '../../cache/retry.ts'
import { s3Error } from '../../cache/s3-errors.ts'
import { QueryError } from '../../proto/errors.ts'

const place = { name: 'prod', bucket: 'acme', host: 's3.example', region: 'eu-west-1' }

/** As the SDK throws it. */
function refusal(name: string, status?: number, more: object = {}): Error {
  const $metadata = status === undefined ? {} : { httpStatusCode: status }
  return Object.assign(new Error(`${name} it is`), { name, $metadata, StringToSign: 'AWS4-HMAC', ...more })
}

/** Code, message, and how many attempts it is worth. */
function told(thrown: unknown, key?: string): string {
  const error = s3Error(thrown, place, key)
  const [own, attempts] = error instanceof Again ? [error.error, error.attempts] : [error, 0]
  return `${own.code} ${attempts}: ${own.message}`
}

t.test('each refusal has a code, words, and a number of attempts', async t => {
  const moved = { $response: { headers: { 'x-amz-bucket-region': 'us-east-2' } } }
  t.strictSame([
    told(refusal('NoSuchKey', 404), 'a/b'),
    told(refusal('NotFound', 404), 'a/b'),
    told(refusal('NoSuchBucket', 404), 'a/b'),
    told(refusal('NotFound', 404)),
    told(refusal('AccessDenied', 403), 'a/b'),
    told(refusal('ExpiredToken', 400)),
    told(refusal('PermanentRedirect', 301, moved)),
    told(refusal('AuthorizationHeaderMalformed', 400, { Region: 'us-east-2' })),
    told(refusal('PermanentRedirect', 301)),
    told(refusal('RequestTimeTooSkewed', 403)),
    told(refusal('PreconditionFailed', 412), 'a/b'),
    told(refusal('InvalidRange', 416), 'a/b'),
    told(refusal('SlowDown', 503), 'a/b'),
    told(refusal('TooManyRequests', 429)),
    told(refusal('InvalidArgument', 400), 'a/b'),
    told(refusal('CredentialsProviderError')),
    told(refusal('Error', undefined, { code: 'ENOTFOUND' })),
    told(refusal('Error', undefined, { code: 'ECONNREFUSED' })),
    told(refusal('Error', undefined, { code: 'ECONNRESET' })),
    told(refusal('Error', undefined, { code: 'CERT_HAS_EXPIRED' })),
    told(refusal('TimeoutError')),
    told('thrown'),
  ], [
    `FILE_NOT_FOUND 0: no file 'a/b' in bucket prod`,
    `FILE_NOT_FOUND 0: no file 'a/b' in bucket prod`,
    `FILE_NOT_FOUND 0: bucket prod: s3.example has no bucket 'acme'`,
    `FILE_NOT_FOUND 0: bucket prod: s3.example has no bucket 'acme'`,
    `PERMISSION_DENIED 0: 'a/b' in bucket prod: access is denied (AccessDenied)`,
    'PERMISSION_DENIED 0: bucket prod: the session token has expired',
    `INVALID_CONFIG 0: bucket prod: 'acme' is in region us-east-2, not eu-west-1: set its region`,
    `INVALID_CONFIG 0: bucket prod: 'acme' is in region us-east-2, not eu-west-1: set its region`,
    `INVALID_CONFIG 0: bucket prod: 'acme' is not in region eu-west-1: set its region`,
    'PERMISSION_DENIED 2: bucket prod: the clock of this machine and that of s3.example differ by more than 15 minutes',
    `FILE_CHANGED 0: 'a/b' in bucket prod has changed since the query was planned`,
    `FILE_CHANGED 0: 'a/b' in bucket prod has changed since the query was planned`,
    `UNAVAILABLE Infinity: 'a/b' in bucket prod: s3.example answered 503 SlowDown`,
    'UNAVAILABLE Infinity: bucket prod: s3.example answered 429 TooManyRequests',
    `UNAVAILABLE 0: 'a/b' in bucket prod: s3.example answered 400 InvalidArgument`,
    'PERMISSION_DENIED 0: bucket prod: no credentials: neither in the configuration, nor in the environment, nor of ' +
      'this machine',
    'UNAVAILABLE 4: bucket prod: no host s3.example is known (DNS)',
    'UNAVAILABLE 4: bucket prod: s3.example refuses the connection',
    'UNAVAILABLE Infinity: bucket prod: s3.example closed the connection',
    'UNAVAILABLE 4: bucket prod: s3.example: CERT_HAS_EXPIRED',
    'UNAVAILABLE Infinity: bucket prod: s3.example does not answer',
    'UNAVAILABLE Infinity: bucket prod: s3.example: Error: thrown',
  ])
})

t.test('an error of ours stays itself, and the cause of others holds no more than name and message', async t => {
  const own = new QueryError('CANCELLED', 'x')
  t.equal(s3Error(own, place), own)
  const { cause } = s3Error(refusal('AccessDenied', 403), place)
  t.match(cause, { message: 'AccessDenied: AccessDenied it is' })
  t.strictSame(Object.keys(cause as object), [])
})
