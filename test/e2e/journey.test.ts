import { describe } from 'vitest'
import { describeJourney } from './specs/journey.js'
import { TRANSPORTS } from './specs/transports.js'

describe.each(TRANSPORTS)('from the first minute on, with $title', describeJourney)
