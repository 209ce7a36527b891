/** A process that fills a cache is killed at a few moments; test/soak does it at fifty. */

import t from 'tap'
import { killedCaches } from './cache-kills.ts'

t.test('killed at three moments, its cache never gives a wrong answer', t => killedCaches(t, 3))
