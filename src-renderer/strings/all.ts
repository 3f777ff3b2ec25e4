import { strings as first } from '../strings.js'
import { doctorStrings } from './doctor.js'
import { engineStrings } from './engine/engine.js'
import { identityStrings, keysStrings } from './identity.js'
import { translated } from './languages/translated.js'
import { translation } from './languages/translation.js'
import { settingsStrings } from './settings.js'
import { shareStrings } from './share.js'
import { trafficStrings } from './traffic.js'

/** Sentences that the first page never shows. */
const later = {
  traffic: trafficStrings,
  share: shareStrings,
  engine: engineStrings,
  doctor: doctorStrings,
  settings: settingsStrings,
  identity: identityStrings,
  keys: keysStrings,
}

/** Every sentence of the interface, in the language of this page: for what is loaded after the first page. */
export const strings = { ...first, ...translated(later, translation) }
