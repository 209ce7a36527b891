/** A signed text is read as it was signed, and in no other spelling. */

import t from 'tap'
import { Signer, signingKey } from '../../proto/signed-text.ts'
import { HandClock } from '../executor/hand-clock.ts'

const signer = new Signer(signingKey('one'), new HandClock())
const signed = signer.sign('ticket', 'what it says', 1_000)

t.test('as it was signed', async t => {
  t.equal(signer.read('ticket', signed), 'what it says')
  t.equal(signer.read('token', signed), undefined, 'for nothing else')
})

t.test('no character of it may be another one, nor one be added, though its bytes may be the same', async t => {
  const characters = [...Buffer.from('AQgwBb_-+/=. \n')].map(code => String.fromCharCode(code))
  for (let at = 0; at <= signed.length; at++) {
    for (const other of characters) {
      const [changed, longer] = [1, 0].map(gone => signed.slice(0, at) + other + signed.slice(at + gone))
      if (changed !== signed) t.equal(signer.read('ticket', changed ?? ''), undefined, `${other} at ${at}`)
      t.equal(signer.read('ticket', longer ?? ''), undefined, `${other} before ${at}`)
    }
  }
})
