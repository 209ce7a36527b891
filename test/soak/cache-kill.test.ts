/** A process that fills a cache is killed at fifty moments. */

import t from 'tap'
import { killedCaches } from '../cache/cache-kills.ts'

t.test('killed at fifty moments, its cache never gives a wrong answer', t => killedCaches(t, 50))
