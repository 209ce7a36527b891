/** A cache that no other executor can be asked for. */

import { PeerReader } from '../../cache/peer-reader.ts'
import { systemClock } from '../../proto/clock.ts'

export const noPeers = new PeerReader(() => { throw new Error('nobody is to be asked') }, {
  clock: systemClock, random: () => 0.5,
})
